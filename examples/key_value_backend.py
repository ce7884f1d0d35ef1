"""A backend for a plain key-value server, on the kit that threadkeep's own backends share.

Each stream is one JSON value of a Redis or Valkey, changed by an optimistic transaction: WATCH,
GET, MULTI, SET, EXEC. A commit reads and writes the whole stream, so this suits short sessions;
`threadkeep.backends.redis` is the one for production.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from threadkeep.backends.common.client_pool import ClientPool
from threadkeep.backends.common.commit import Change
from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.common.faults import Failed, Fault, FaultKind
from threadkeep.backends.common.retry import RetryLoop, run_commit
from threadkeep.backends.common.stream import Stream, carry_out
from threadkeep.errors import InputError
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl

T = TypeVar("T")


class KeyValueBackend:
    """Streams as JSON values of a key-value server.

    Args:
        url: of a Redis or Valkey: `redis://localhost:6379/0`.
        prefix: of all keys.
        timeout: seconds a call may take in all, retries included.
    """

    blocking = True

    def __init__(self, url: str, *, prefix: str = "kv", timeout: float = 30.0) -> None:
        location = f"key-value server, keys {prefix}:*"
        options = {"socket_timeout": timeout, "retry": Retry(NoBackoff(), 0)}
        self._pool: ClientPool[Any] = ClientPool(
            partial(redis.Redis.from_url, url, **options),
            redis.Redis.close,
            location=location,
            size=16,
        )
        self._loop = RetryLoop(location, timeout)
        self._prefix = prefix

    def read(self, *queries: Query, now: float) -> list[Page]:
        names = list(dict.fromkeys(query.stream for query in queries))
        keys = [self._key(name) for name in names]
        values = self._run(lambda client: client.mget(keys)) if keys else []
        streams = {name: decode(value) for name, value in zip(names, values, strict=True)}
        return [_page(streams[query.stream], query, now) for query in queries]

    def commit(
        self,
        stream: str,
        *,
        put: Sequence[Record] = (),
        drop: Sequence[Drop] = (),
        ttl: Ttl = None,
        expect: int | None = None,
        token: str | None = None,
        now: float,
    ) -> Commit:
        change = Change(stream, put, drop, ttl, expect, token, now)
        work = partial(_transact, key=self._key(stream), act=partial(carry_out, change=change))
        return run_commit(self._run, work, change)

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        after = "" if cursor is None else cursor
        if not isinstance(after, str) or (cursor is not None and not after.startswith(prefix)):
            raise InputError("cursor: pass what the page before returned, or None to begin")
        names = [name for name in self._names() if name.startswith(prefix) and name > after]
        page = sorted(names)[:limit]
        return page, page[-1] if len(page) == limit else None

    def sweep(self, now: float, limit: int = 1000) -> int:
        swept = 0
        for name in self._names():
            act = partial(_sweep, now=now, limit=limit - swept)
            swept += self._run(partial(_transact, key=self._key(name), act=act))
            if swept >= limit:
                break
        return swept

    def close(self) -> None:
        self._pool.close()

    def _run(self, work: Callable[[Any], T], *, repeatable: bool = True) -> T:
        return self._loop.run(partial(self._attempt, work), repeatable=repeatable)

    def _attempt(self, work: Callable[[Any], T], deadline: Deadline) -> T:
        self._pool.acquire(deadline)
        try:
            result = work(self._pool.client(deadline))
            self._loop.connected = True
            return result
        except redis.RedisError as error:
            raise Failed(classify(error), error) from None
        finally:
            self._pool.release()

    def _key(self, name: str) -> str:
        return f"{self._prefix}:{name}"

    def _names(self) -> list[str]:
        """All streams; a scan may find a key twice."""
        keys = self._run(lambda client: {*client.scan_iter(f"{self._prefix}:*", 1000)})
        return [key.decode()[len(self._prefix) + 1 :] for key in keys]


def classify(error: redis.RedisError) -> Fault:
    """What an error of the driver means; stored text is never cited."""
    if isinstance(error, redis.WatchError):
        return Fault(FaultKind.RETRY, "others write the same stream")
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return Fault(FaultKind.LOST, str(error), "check that it runs, and the network")
    return Fault(FaultKind.FATAL, type(error).__name__, "look at the server's log")


Act = Callable[[Stream | None], tuple[Stream | None, T]]


def _transact(client: Any, key: str, act: Act[T]) -> T:
    """Let `act` change a stream; `redis.WatchError`: it was changed by others meanwhile."""
    with client.pipeline() as pipeline:
        pipeline.watch(key)
        before = pipeline.get(key)
        stream, result = act(decode(before))
        after = None if stream is None else encode(stream)
        if after != before:
            pipeline.multi()
            pipeline.delete(key) if after is None else pipeline.set(key, after)
            pipeline.execute()
    return result


def _sweep(stream: Stream | None, now: float, limit: int) -> tuple[Stream | None, int]:
    if stream is None:
        return None, 0
    if stream.dead(now):
        return None, 1
    return stream, stream.sweep(now, limit)


def _page(stream: Stream | None, query: Query, now: float) -> Page:
    return stream.page(query, now) if stream else Page(0, [])


def encode(stream: Stream) -> bytes:
    """The value that is stored for a stream."""
    head: list[object] = [stream.version, stream.seq, stream.expires, stream.ttl]
    head += [stream.token, stream.token_version]
    fields = ("kind", "id", "body", "at", "expires", "seq")
    records = [[getattr(record, name) for name in fields] for record in stream.records()]
    return json.dumps([head, records], ensure_ascii=False).encode()


def decode(value: bytes | None) -> Stream | None:
    """The stream that a value holds."""
    if value is None:
        return None
    head, records = json.loads(value)
    stream = Stream(*head)
    for record in records:
        stream.restore(Record(*record))
    return stream
