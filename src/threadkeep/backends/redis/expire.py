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
    swept_count = 0
    for node_client, stream_keys in scan.pages(client, keys.pattern("")):
        stream_names = [keys.stream(stream_key) for stream_key in stream_keys]
        for stream_name in _expired_streams(node_client, keys, stream_names, now):
            if swept_count >= limit:
                return swept_count
            script_run = (SWEEP, keys.of(stream_name), (repr(float(now)), limit - swept_count))
            swept_count += evaluate(client, script_run)
    return swept_count


def _expired_streams(
    client: Client, keys: StreamKeys, streams: list[str], now: float
) -> Iterator[str]:
    """Yield the streams of a page that hold expired entries; one round trip."""
    if not streams:
        return
    with client.pipeline(transaction=False) as pipeline:
        for stream_name in streams:
            records_key, index_key = keys.of(stream_name)
            pipeline.hget(records_key, "e")
            pipeline.zrangebylex(index_key, "-", f"(\0{now:020.6f}\1", 0, 1)
        replies = pipeline.execute(raise_on_error=False)
    for stream_name, stream_expiry, expired_entries in zip(
        streams, replies[::2], replies[1::2], strict=True
    ):
        if isinstance(stream_expiry, Exception) or isinstance(expired_entries, Exception):
            continue  # it moved to another node, or is a foreign key
        if expired_entries or (stream_expiry and float(stream_expiry.split()[0]) <= now):
            yield stream_name
