"""Removes entries expired by the caller's clock; the server's own expiry does most of it."""

from __future__ import annotations

from collections.abc import Iterator

from threadkeep.backends.redis import scan
from threadkeep.backends.redis.client_calls import evaluate
from threadkeep.backends.redis.clients import Client
from threadkeep.backends.redis.keys import StreamKeys
from threadkeep.backends.redis.scripts import SWEEP


def sweep(client: Client, keys: StreamKeys, now: float, limit: int) -> int:
    """Remove up to `limit` expired entries, stream by stream, with one short script each."""
    swept = 0
    for node, page in scan.pages(client, keys.pattern("")):
        streams = [keys.stream(key) for key in page]
        for stream in _expired_streams(node, keys, streams, now):
            if swept >= limit:
                return swept
            run = (SWEEP, keys.of(stream), (repr(float(now)), limit - swept))
            swept += evaluate(client, run)
    return swept


def _expired_streams(
    client: Client, keys: StreamKeys, streams: list[str], now: float
) -> Iterator[str]:
    """Yield the streams of a page that hold expired entries; one round trip."""
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
            continue  # it moved to another node, or is a foreign key
        if due or (end and float(end.split()[0]) <= now):
            yield stream
