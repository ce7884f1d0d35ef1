"""Reclaiming what expired by the caller's clock; the server's own does most of it unasked."""

from __future__ import annotations

from collections.abc import Iterator

from threadkeep.backends.redis import scan
from threadkeep.backends.redis.client_calls import evaluate
from threadkeep.backends.redis.clients import Client
from threadkeep.backends.redis.keys import Keys
from threadkeep.backends.redis.scripts import SWEEP


def sweep(client: Client, keys: Keys, now: float, limit: int) -> int:
    """Walk the streams until `limit` entries are reclaimed; each stream is one short script."""
    swept = 0
    for node, page in scan.pages(client, keys.pattern("")):
        streams = [keys.stream(key) for key in page]
        for stream in _due(node, keys, streams, now):
            if swept >= limit:
                return swept
            run = (SWEEP, keys.of(stream), (repr(float(now)), limit - swept))
            swept += evaluate(client, run)
    return swept


def _due(client: Client, keys: Keys, streams: list[str], now: float) -> Iterator[str]:
    """Those streams of a page that hold something expired, seen in one round trip."""
    if not streams:
        return
    with client.pipeline(transaction=False) as pipeline:
        for stream in streams:
            records, index = keys.of(stream)
            pipeline.hget(records, "e")
            pipeline.zrangebylex(index, "-", f"(\0{now:020.6f}\1", 0, 1)
        answers = pipeline.execute(raise_on_error=False)
    for stream, end, due in zip(streams, answers[::2], answers[1::2], strict=True):
        if isinstance(end, Exception) or isinstance(due, Exception):
            continue  # it moved to another node, or is not ours
        if due or (end and float(end) <= now):
            yield stream
