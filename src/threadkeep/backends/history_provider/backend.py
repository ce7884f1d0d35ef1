"""The backend over a history provider: each stream is one session, read and written whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, Final, TypeVar

from threadkeep.backends.common.commit import Action, Change, decide
from threadkeep.backends.common.deadline import Deadline, backoff
from threadkeep.backends.common.stream import Stream, apply
from threadkeep.backends.history_provider import session_data
from threadkeep.backends.history_provider.locks import lock_of
from threadkeep.backends.history_provider.provider import COMPARE_AND_SET
from threadkeep.core import cursor as cursors
from threadkeep.errors import BackendError, BackendTimeout, ThreadkeepError
from threadkeep.printable import shown
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl

_PATIENCE: Final = 30.0
"""Seconds for which a commit competes with other writers of its stream."""

R = TypeVar("R")

Stored = tuple[Stream | None, str | None]
"""A stream, and the version of its session; `None` = there is none."""


class HistoryProviderBackend:
    """A backend that keeps each stream in one session of a history provider.

    A commit writes its stream anew as a whole, `streams` and `sweep` list all sessions: right for
    conversations of ordinary length, and for stores that hold a few thousand.

    Without `compare_and_set`, the provider's calls are made one at a time, and only one process
    may write to a store.

    Args:
        provider: see `BaseHistoryProvider`; `close` calls its `close`, if it has one.
    """

    def __init__(self, provider: Any) -> None:
        self.blocking = True
        self.writes_whole_streams = True
        self._provider = provider
        self._name = type(provider).__qualname__
        self._compare_and_set = getattr(provider, COMPARE_AND_SET, None)
        self._closed = False

    def __repr__(self) -> str:
        return f"HistoryProviderBackend({self._name})"

    def read(self, *queries: Query, now: float) -> list[Page]:
        stream_names = {query.stream for query in queries}
        with self._lock():
            stream_by_name = {name: self._load(name)[0] for name in stream_names}
        return [_page(stream_by_name[query.stream], query, now) for query in queries]

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
        return self._repeat(stream, partial(self._try_commit, change))

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        last_listed_name = "" if cursor is None else cursors.stream(cursor, prefix)
        with self._lock():
            stream_names = sorted(
                stream_name
                for stream_name in self._names()
                if stream_name.startswith(prefix) and stream_name > last_listed_name
            )
        page_names = stream_names[:limit]
        return page_names, page_names[-1] if len(page_names) == limit else None

    def sweep(self, now: float, limit: int = 1000) -> int:
        with self._lock():
            stream_names = list(self._names())
        swept_count = 0
        for stream_name in stream_names:
            if swept_count >= limit:
                break
            swept_count += self._repeat(
                stream_name, partial(self._try_sweep, stream_name, now, limit - swept_count)
            )
        return swept_count

    def describe(self) -> dict[str, str]:
        """The provider, and how many processes may write at once; asks the provider nothing."""
        writer_limit = "any number" if self._compare_and_set else f"one: no {COMPARE_AND_SET}"
        return {"engine": f"history provider {self._name}", "writers": writer_limit}

    def close(self) -> None:
        """Close the provider, if it can be closed. May be called twice."""
        if not self._closed and callable(close_provider := getattr(self._provider, "close", None)):
            self._call(close_provider)
        self._closed = True

    def _repeat(self, name: str, attempt: Callable[[], R | None]) -> R:
        """Make an attempt until it is not `None`: until no other writer came between."""
        deadline, attempt_count = Deadline(_PATIENCE), 0
        while True:
            with self._lock():
                attempt_result = attempt()
            if attempt_result is not None:
                return attempt_result
            attempt_count += 1
            if not backoff(attempt_count, deadline):
                raise BackendTimeout(
                    f"{self._name}: stream {shown(name)} was changed by others for "
                    f"{_PATIENCE:g} s, "
                    f"before each {COMPARE_AND_SET}: fewer writers, or a faster store"
                )

    def _try_commit(self, change: Change) -> Commit | None:
        stream, data_version = self._load(change.stream)
        decision = decide(stream.head if stream else None, change)
        new_stream, commit = apply(stream, decision, change)
        if decision.action in (Action.REPLAY, Action.IGNORE):
            return commit
        is_stored = self._store(change.stream, new_stream, data_version, change.now)
        return commit if is_stored else None

    def _try_sweep(self, name: str, now: float, limit: int) -> int | None:
        stream, data_version = self._load(name)
        if stream is None:
            return 0
        if stream.dead(now):
            return 1 if self._store(name, None, data_version, now) else None
        swept_count = stream.sweep(now, limit)
        return (
            swept_count if not swept_count or self._store(name, stream, data_version, now) else None
        )

    def _load(self, name: str) -> Stored:
        session_id = session_data.session_id(name)
        stored_session = self._call(self._provider.get_session, session_id)
        if not stored_session:
            return None, None
        return session_data.decode(session_id, stored_session)[1], session_data.version(
            stored_session
        )

    def _store(self, name: str, stream: Stream | None, version: str | None, now: float) -> bool:
        """Store a stream, `None` deletes it; returns False if another writer came between."""
        session_id = session_data.session_id(name)
        encoded_session = None if stream is None else session_data.encode(name, stream, now)
        if self._compare_and_set is not None:
            return bool(self._call(self._compare_and_set, session_id, encoded_session, version))
        if encoded_session is None:
            self._call(self._provider.delete_session, session_id)
        else:
            self._call(self._provider.store_session, session_id, encoded_session)
        return True

    def _names(self) -> Iterator[str]:
        for session_id in self._call(self._provider.get_all_sessions):
            if not session_data.is_ours(session_id):
                continue
            stream_name = session_data.stream_name(session_id)
            if stream_name is None and (
                stored_session := self._call(self._provider.get_session, session_id)
            ):
                stream_name = session_data.decode(session_id, stored_session)[0]
            if stream_name is not None:
                yield stream_name

    def _lock(self) -> AbstractContextManager[Any]:
        return nullcontext() if self._compare_and_set else lock_of(self._provider)

    def _call(self, method: Callable[..., Any], *arguments: object) -> Any:
        if self._closed:
            raise BackendError(f"this backend over {self._name} is closed: open a new one")
        try:
            return method(*arguments)
        except ThreadkeepError:
            raise
        except Exception as error:  # whatever the provider's driver raises
            method_name = getattr(method, "__name__", "a method")
            raise BackendError(
                f"the history provider {self._name} failed in {method_name}: "
                f"{type(error).__name__}, see the error above"
            ) from error


def _page(stream: Stream | None, query: Query, now: float) -> Page:
    return stream.page(query, now) if stream else Page(0, [])
