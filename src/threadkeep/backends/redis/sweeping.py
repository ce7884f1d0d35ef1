"""Reclaiming what expired by the caller's clock; the server's own does most of it unasked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threadkeep.backends.redis import walking
from threadkeep.backends.redis.calls import evaluate
from threadkeep.backends.redis.clients import Client
from threadkeep.backends.redis.keys import Keys
from threadkeep.backends.redis.scripts import SWEEP


def sweep(client: Client, keys: Keys, now: float, limit: int) -> int:
    """Walk the streams until `limit` entries are reclaimed; each stream is one short script."""
    swept = 0
    for page_client, page in walking.pages(client, keys.pattern("", "[hx]")):
        for stream in dict.fromkeys(keys.stream(key) for key in _due(page_client, page, now)):
            if swept >= limit:
                return swept
            run = (SWEEP, keys.of(stream), (repr(float(now)), limit - swept))
            swept += evaluate(client, run)
    return swept


def _due(client: Client, keys: list[Any], now: float) -> Iterator[Any]:
    """Those keys of a page that hold something expired, seen in one round trip."""
    if not keys:
        return
    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            if _ends(key) == "h":
                pipeline.hget(key, "e")
            else:
                pipeline.zcount(key, "-inf", repr(float(now)))
        answers = pipeline.execute(raise_on_error=False)
    for key, answer in zip(keys, answers, strict=True):
        if isinstance(answer, Exception):
            continue  # it moved to another node, or went
        if answer and (_ends(key) == "x" or float(answer) <= now):
            yield key


def _ends(key: bytes | str) -> str:
    return key[-1:] if isinstance(key, str) else key[-1:].decode()
