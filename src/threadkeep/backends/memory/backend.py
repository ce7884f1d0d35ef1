"""The memory backend: one lock, lives that begin and end, and a bound on how many are kept."""

from __future__ import annotations

import os
import secrets
import threading
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from itertools import islice
from typing import Any

from threadkeep.backends.memory.stream import Stream
from threadkeep.core import cursor as cursors
from threadkeep.errors import BackendError, ConfigError, Conflict
from threadkeep.types import Commit, Drop, Keep, Page, Query, Record, Ttl
from threadkeep.types.versions import matches

# One lock for all instances, held across a fork, so that no child inherits it locked for ever.
_LOCK = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release
    )


class MemoryBackend:
    """A store of streams in memory, safe for threads; a forked child goes on with a copy.

    Args:
        max_sessions: how many streams named `<namespace>/session/<id>` are kept. Beyond that the
            one read or written least recently is forgotten, with one warning per instance.
            Other streams (users, indexes) are small and are not counted.

    Raises:
        ConfigError: `max_sessions` is not a positive integer.
    """

    def __init__(self, *, max_sessions: int = 10_000) -> None:
        if not isinstance(max_sessions, int) or isinstance(max_sessions, bool) or max_sessions < 1:
            raise ConfigError(f"max_sessions: expected a positive integer, got {max_sessions!r}")
        self.blocking = False
        self._max_sessions = max_sessions
        self._streams: dict[str, Stream] = {}
        self._sessions: OrderedDict[str, None] = OrderedDict()  # least recently used first
        self._mortal: set[str] = set()  # streams that may hold records with an expiry of their own
        self._warned = False
        self._closed = False

    def __repr__(self) -> str:
        return f"MemoryBackend(max_sessions={self._max_sessions})"

    def read(self, *queries: Query, now: float) -> list[Page]:
        with _LOCK:
            self._check_open()
            return [self._page(query, now) for query in queries]

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
        with _LOCK:
            self._check_open()
            live = self._live(stream, now)
            if live and token is not None and live.token == token:
                return Commit(live.token_version, live.seqs(put))
            if not matches(expect, current := live.version if live else 0):
                raise Conflict(
                    f"stream {stream!r} is at version {current}, not {expect}: "
                    "read it again and repeat the change",
                    current=current,
                )
            done = self._apply(stream, live, put, drop, ttl, token, now)
            evicted = self._evict()
        if evicted:
            self._warn()
        return done

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        with _LOCK:
            self._check_open()
            found = [name for name in self._streams if name.startswith(prefix)]
        after = "" if cursor is None else cursors.stream(cursor, prefix)
        page = sorted(name for name in found if name > after)[:limit]
        return page, page[-1] if len(page) == limit else None

    def sweep(self, now: float, limit: int = 1000) -> int:
        with _LOCK:
            self._check_open()
            dead = (name for name, stream in self._streams.items() if stream.dead(now))
            doomed = list(islice(dead, limit))
            for name in doomed:
                self._forget(name)
            return len(doomed) + self._sweep_records(now, limit - len(doomed))

    def purge(self, now: float) -> list[str]:
        """Nothing of what was deleted is left."""
        return []

    def close(self) -> None:
        """Forget everything."""
        with _LOCK:
            self._closed = True
            self._streams.clear()
            self._sessions.clear()
            self._mortal.clear()

    def _check_open(self) -> None:
        if self._closed:
            raise BackendError("the memory backend is closed: open a new one")

    def _live(self, name: str, now: float) -> Stream | None:
        stream = self._streams.get(name)
        if stream is None or stream.dead(now):
            return None
        if name in self._sessions:
            self._sessions.move_to_end(name)
        return stream

    def _page(self, query: Query, now: float) -> Page:
        stream = self._live(query.stream, now)
        return Page(stream.version, stream.select(query, now)) if stream else Page(0, [])

    def _apply(
        self,
        name: str,
        live: Stream | None,
        put: Sequence[Record],
        drop: Sequence[Drop],
        ttl: Ttl,
        token: str | None,
        now: float,
    ) -> Commit:
        expires = _expires(live, ttl, now)
        for one in drop:
            if one.kind is None:
                live = None
                self._forget(name)
            elif live:
                live.drop(one)
        if live is None:
            if not put:
                return Commit(0, [])
            live = self._begin(name)
        elif put or drop:
            live.version += 1
        live.expires = expires
        if any(record.expires is not None for record in put):
            self._mortal.add(name)
        last = {(record.kind, record.id): record for record in put}
        seqs = {key: live.put(record, now) for key, record in last.items()}
        if token is not None:
            live.token, live.token_version = token, live.version
        return Commit(live.version, [seqs[record.kind, record.id] for record in put])

    def _begin(self, name: str) -> Stream:
        self._forget(name)
        self._streams[name] = stream = Stream(version=secrets.randbits(32) << 20 | 1)
        if "/session/" in name:
            self._sessions[name] = None
        return stream

    def _forget(self, name: str) -> None:
        self._streams.pop(name, None)
        self._sessions.pop(name, None)
        self._mortal.discard(name)

    def _evict(self) -> bool:
        """Make room; true if this is the first time that something live had to go."""
        if len(self._sessions) <= self._max_sessions:
            return False
        self._forget(next(iter(self._sessions)))
        first, self._warned = not self._warned, True
        return first

    def _warn(self) -> None:
        warnings.warn(
            f"the memory backend holds {self._max_sessions} sessions and now forgets the least "
            "recently used ones: raise `max_sessions`, set a `ttl`, or use sqlite:///",
            stacklevel=3,
        )

    def _sweep_records(self, now: float, limit: int) -> int:
        swept = 0
        for name in list(self._mortal):
            if swept >= limit:
                break
            stream = self._streams[name]
            swept += stream.sweep(now, limit - swept)
            if not stream.mortal():
                self._mortal.discard(name)
        return swept


def _expires(live: Stream | None, ttl: Ttl, now: float) -> float | None:
    if isinstance(ttl, Keep):
        return live.expires if live else None
    return None if ttl is None else now + ttl
