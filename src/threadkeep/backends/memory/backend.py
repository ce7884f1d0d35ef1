"""The memory backend: one lock, lives that begin and end, and a bound on how many are kept."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Sequence
from itertools import islice
from typing import Any

from threadkeep.backends.common import fork
from threadkeep.backends.common.commit import Action, Change, decide
from threadkeep.backends.common.stream import Stream, apply
from threadkeep.core import cursor as cursors
from threadkeep.errors import BackendError, ConfigError
from threadkeep.printable import counted, shown
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl

# One lock for all instances, so that a forked child goes on with whole streams.
_LOCK = fork.held_across_fork()


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
            raise ConfigError(
                f"max_sessions: expected a positive integer, got {shown(max_sessions)}"
            )
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
            commit = self._carry_out(Change(stream, put, drop, ttl, expect, token, now))
            is_first_eviction = self._evict()
        if is_first_eviction:
            self._warn()
        return commit

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        with _LOCK:
            self._check_open()
            matching_names = [name for name in self._streams if name.startswith(prefix)]
        last_listed_name = "" if cursor is None else cursors.stream(cursor, prefix)
        page_names = sorted(
            stream_name for stream_name in matching_names if stream_name > last_listed_name
        )[:limit]
        return page_names, page_names[-1] if len(page_names) == limit else None

    def sweep(self, now: float, limit: int = 1000) -> int:
        with _LOCK:
            self._check_open()
            dead_names = (name for name in self._streams if self._is_dead(name, now))
            swept_names = list(islice(dead_names, limit))
            for stream_name in swept_names:
                self._forget(stream_name)
            return len(swept_names) + self._sweep_records(now, limit - len(swept_names))

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
        stream = self._settled(name)
        if stream is None or stream.dead(now):
            return None
        if name in self._sessions:
            self._sessions.move_to_end(name)
        return stream

    def _settled(self, name: str) -> Stream | None:
        """A stream, after what an interrupted caller left to be done."""
        stream = self._streams.get(name)
        if stream is not None:
            stream.settle()
        return stream

    def _is_dead(self, name: str, now: float) -> bool:
        stream = self._settled(name)
        return stream is not None and stream.dead(now)

    def _page(self, query: Query, now: float) -> Page:
        stream = self._live(query.stream, now)
        return stream.page(query, now) if stream else Page(0, [])

    def _carry_out(self, change: Change) -> Commit:
        """Carry out a commit; the lock is held.

        An interrupt (Ctrl-C, the button of a notebook) may come between any two steps. So a new
        stream takes the place of the old one in a single step, after the notes about it.
        """
        stream_name, previous_stream = change.stream, self._live(change.stream, change.now)
        decision = decide(previous_stream.head if previous_stream else None, change)
        if change.put:
            self._note(stream_name, change)
        new_stream, commit = apply(previous_stream, decision, change)
        if decision.action is Action.END:
            self._forget(stream_name)
        elif new_stream is not None and new_stream is not previous_stream:
            self._streams[stream_name] = new_stream
        return commit

    def _note(self, name: str, change: Change) -> None:
        if "/session/" in name:
            self._sessions.setdefault(name)
        if any(record.expires is not None for record in change.put):
            self._mortal.add(name)

    def _forget(self, name: str) -> None:
        self._streams.pop(name, None)
        self._sessions.pop(name, None)
        self._mortal.discard(name)

    def _evict(self) -> bool:
        """Make room; true if this is the first time that something live had to go."""
        if len(self._sessions) <= self._max_sessions:
            return False
        self._forget(next(iter(self._sessions)))
        is_first_eviction, self._warned = not self._warned, True
        return is_first_eviction

    def _warn(self) -> None:
        warnings.warn(
            f"the memory backend holds {counted(self._max_sessions, 'session')} and now forgets "
            "the least recently used ones: raise `max_sessions`, set a `ttl`, or use sqlite:///",
            stacklevel=3,
        )

    def _sweep_records(self, now: float, limit: int) -> int:
        swept_count = 0
        for stream_name in list(self._mortal):
            if swept_count >= limit:
                break
            stream = self._settled(stream_name)
            swept_count += stream.sweep(now, limit - swept_count) if stream else 0
            if stream is None or not stream.has_expiring_records():
                self._mortal.discard(stream_name)
        return swept_count
