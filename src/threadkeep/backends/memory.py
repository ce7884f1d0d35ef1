"""Streams in this process's memory: fast, bounded, and gone when the process ends."""

from __future__ import annotations

import os
import secrets
import threading
import warnings
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import attrgetter
from typing import Any

from threadkeep.errors import BackendError, ConfigError, Conflict
from threadkeep.types import Commit, Drop, Keep, Page, Query, Record, Ttl

# One lock for all instances, held across a fork, so that no child inherits it locked for ever.
_LOCK = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release
    )

_SEQ = attrgetter("seq")


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
        self._streams: dict[str, _Stream] = {}
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
            if expect is not None and expect != (current := live.version if live else 0):
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
        after = "" if cursor is None else cursor
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

    def _live(self, name: str, now: float) -> _Stream | None:
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
        live: _Stream | None,
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

    def _begin(self, name: str) -> _Stream:
        self._forget(name)
        self._streams[name] = stream = _Stream(version=secrets.randbits(32) << 20 | 1)
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


@dataclass(slots=True)
class _Kind:
    """The records of one kind, by id and in the order of their seqs."""

    ids: dict[str, Record] = field(default_factory=dict)
    order: list[Record] = field(default_factory=list)

    def put(self, record: Record) -> None:
        self.ids[record.id] = record
        place = bisect_left(self.order, record.seq, key=_SEQ)
        self.order[place : place + 1] = [record]

    def remove(self, doomed: Iterable[Record]) -> int:
        ids = {record.id for record in doomed}
        if len(ids) == 1:
            del self.order[bisect_left(self.order, self.ids[next(iter(ids))].seq, key=_SEQ)]
        elif ids:
            self.order = [record for record in self.order if record.id not in ids]
        for one in ids:
            del self.ids[one]
        return len(ids)


@dataclass(slots=True)
class _Stream:
    """One life of a stream."""

    version: int
    seq: int = 0
    expires: float | None = None
    token: str | None = None
    token_version: int = 0
    kinds: dict[str, _Kind] = field(default_factory=dict)

    def dead(self, now: float) -> bool:
        return self.expires is not None and self.expires <= now

    def select(self, query: Query, now: float) -> list[Record]:
        kind = self.kinds.get(query.kind)
        if kind is None:
            return []
        rows = kind.order if query.ids is None else _by_ids(kind, query.ids)
        low = 0 if query.after is None else bisect_right(rows, query.after, key=_SEQ)
        high = len(rows) if query.before is None else bisect_left(rows, query.before, key=_SEQ)
        places = range(high - 1, low - 1, -1) if query.newest else range(low, high)
        found = list(islice(_visible((rows[place] for place in places), now), query.limit))
        return found[::-1] if query.newest else found

    def seqs(self, put: Sequence[Record]) -> list[int]:
        """Where the records of `put` are now; 0 for one that was dropped since."""
        known = (self.kinds.get(record.kind, _Kind()).ids.get(record.id) for record in put)
        return [record.seq if record else 0 for record in known]

    def put(self, record: Record, now: float) -> int:
        kind = self.kinds.setdefault(record.kind, _Kind())
        old = kind.ids.get(record.id)
        if old and old.expires is not None and old.expires <= now:
            kind.remove([old])
            old = None
        if old is None:
            self.seq += 1
        seq = old.seq if old else self.seq
        kind.put(replace(record, seq=seq))
        return seq

    def drop(self, drop: Drop) -> None:
        kind = self.kinds.get(drop.kind or "")
        if kind is None:
            return
        rows = kind.order if drop.ids is None else _by_ids(kind, drop.ids)
        high = len(rows) if drop.upto is None else bisect_right(rows, drop.upto, key=_SEQ)
        kind.remove(rows[:high])

    def sweep(self, now: float, limit: int) -> int:
        swept = 0
        for kind in self.kinds.values():
            dead = (r for r in kind.order if r.expires is not None and r.expires <= now)
            swept += kind.remove(list(islice(dead, limit - swept)))
        return swept

    def mortal(self) -> bool:
        """Does a record here have an expiry of its own?"""
        return any(r.expires is not None for kind in self.kinds.values() for r in kind.order)


def _expires(live: _Stream | None, ttl: Ttl, now: float) -> float | None:
    if isinstance(ttl, Keep):
        return live.expires if live else None
    return None if ttl is None else now + ttl


def _by_ids(kind: _Kind, ids: Iterable[str]) -> list[Record]:
    return sorted((kind.ids[one] for one in set(ids) if one in kind.ids), key=_SEQ)


def _visible(records: Iterable[Record], now: float) -> Iterator[Record]:
    return (record for record in records if record.expires is None or record.expires > now)
