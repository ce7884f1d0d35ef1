"""The engine of a Memory: a backend with a clock, a namespace, caches and threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

from threadkeep.core import cursor as cursors
from threadkeep.core import names, store_record
from threadkeep.core.append_log import AppendLog
from threadkeep.core.cache.generational import GenerationalCache
from threadkeep.core.cache.recent_items import RecentItemsCache
from threadkeep.core.cache.session_info import SessionInfoCache
from threadkeep.core.clock import StoreClock
from threadkeep.core.settings import Settings
from threadkeep.core.verb_threads import VerbThreads
from threadkeep.core.write_counts import WriteCounts
from threadkeep.errors import BackendError, ThreadkeepError
from threadkeep.protocols import Backend, SupportsPurge, WrapsBackend
from threadkeep.types import Commit, Drop, Item, Page, Query, Record, Ttl

_TOUCH_CAPACITY: Final = 5_000
_SWEEP_LIMIT: Final = 1_000
_SEALED: Final = store_record.SEALED

R = TypeVar("R")
T = TypeVar("T")


class SessionListener(Protocol):
    """Reads sessions in the background; notifying it never blocks."""

    def note(self, session: str, items: Sequence[Item]) -> None:
        """Take note of new items; no I/O."""
        ...

    def upto(self, session: str, user: str | None, generation: int) -> int:
        """The seq up to which this generation of a session was read."""
        ...


class Engine:
    """One store as the rest of the package uses it; thread-safe, and safe across fork.

    Attributes:
        backend: the store.
        observed: the store as calls reach it where something measures them; `None` = directly.
        settings: the validated options of `connect`.
        clock: the time.
        now: gives the clock's time, see `StoreClock.now`.
        longterm: the engine of the long-term memory's store; by default this one.
        recent_items: the newest items of the sessions used last.
        session_infos: what is known of these sessions, by stream, at a version of it.
        append_log: the streams that this process has only appended to.
        listener: what learns from sessions, if there is a model to do it.
        write_counts: tells when a user's kept index is to grow, if there is one.
        on_edit: told of items that were replaced or removed, with the session's stream.
    """

    def __init__(self, backend: Backend, settings: Settings, *, owned: bool) -> None:
        self.backend = backend
        self.observed: Backend | None = None
        self.settings = settings
        self.clock = StoreClock(self._backend, settings.clock)
        self.now = self.clock.now
        self._owned = owned
        self._closed = False
        self._store_claimed = False  # whether this namespace is recorded as plain
        self._threads = VerbThreads(settings.pool_size)
        self.recent_items = RecentItemsCache()
        self.session_infos = SessionInfoCache()
        self.append_log = AppendLog()
        self._touched: GenerationalCache[tuple[str, str], float] = GenerationalCache(
            _TOUCH_CAPACITY
        )
        self._components: dict[Any, Any] = {}
        self._owns_longterm = False
        self.longterm: Engine = self
        self.listener: SessionListener | None = None
        self.write_counts: WriteCounts | None = None
        self.on_edit: Callable[[Any, Sequence[str]], None] | None = None

    @property
    def discards(self) -> bool:
        """Whether the store keeps nothing, so that writes to what is not there are accepted."""
        return bool(getattr(self._innermost, "discards", False))

    @property
    def indexes_in_background(self) -> bool:
        """Whether a search index is worth keeping unasked: on a disk or a server, in small writes.

        With `retain`, sessions are short, and each of their writes would take the index along.
        """
        writes_whole_streams = getattr(self._innermost, "writes_whole_streams", False)
        return self.backend.blocking and not self.settings.retain and not writes_whole_streams

    @property
    def _innermost(self) -> Backend:
        backend = self.backend
        while isinstance(backend, WrapsBackend):
            backend = backend.inner
        return backend

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def stream(self, noun: str, name: str) -> str:
        """A stream's name in this namespace."""
        return names.stream(self.settings.namespace, noun, name)

    def new_id(self, now: float) -> str:
        """A new unique id; ids made at the same time sort together, which is good for indexes."""
        return self.new_ids(now, 1)[0]

    def new_ids(self, now: float, count: int) -> list[str]:
        """Several new ids of the same time."""
        time_prefix, random_hex = f"{int(now * 1000):012x}", os.urandom(8 * count).hex()
        return [time_prefix + random_hex[16 * number : 16 * number + 16] for number in range(count)]

    def read(self, *queries: Query) -> list[Page]:
        """`Backend.read` with this clock.

        Raises:
            WrongKey: the records are encrypted, and no key was given.
        """
        pages = self._backend().read(*queries, now=self.now())
        for page in pages:
            if page.records and page.records[0].body.startswith(_SEALED):
                self._check_plain(queries[0].stream)
                break
        return pages

    def commit(
        self,
        stream: str,
        *,
        put: Sequence[Record] = (),
        drop: Sequence[Drop] = (),
        ttl: Ttl,
        expect: int | None = None,
    ) -> Commit:
        """`Backend.commit` with this clock; a conditional one gets a token for its retries.

        Raises:
            WrongKey: it would be the first plain text in an encrypted store, or the reverse.
        """
        now, retry_token = self.now(), None if expect is None else _random()
        if put and not self._store_claimed:
            store_record.claim(self._backend(), stream, now)
            self._store_claimed = True
        self.session_infos.drop(stream)  # not valid during the commit, nor if it fails
        commit = self._backend().commit(
            stream, put=put, drop=drop, ttl=ttl, expect=expect, token=retry_token, now=now
        )
        self.recent_items.apply_commit(
            stream, put, drop, commit, created_at=now if expect == 0 else None
        )
        self.append_log.apply_commit(stream, drop, commit)
        return commit

    def streams(self, prefix: str, *, cursor: Any, limit: int) -> tuple[list[str], Any]:
        """`Backend.streams`, without names of another prefix that a store may return.

        Raises:
            InputError: the cursor is not valid.
        """
        try:
            stream_names, next_cursor = self._backend().streams(prefix, cursor=cursor, limit=limit)
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            if cursor is None or isinstance(error, ThreadkeepError):
                raise
            raise cursors.invalid() from error  # only the store can decode it
        return [name for name in stream_names if name.startswith(prefix)], next_cursor

    def sweep(self, limit: int) -> int:
        """`Backend.sweep` of what has been over for a while; also of an owned long-term store."""
        reclaimed_count = self._backend().sweep(self._swept_until(), limit)
        for component in list(self._components.values()):
            if sweep_component := getattr(component, "sweep", None):
                reclaimed_count += sweep_component(limit)
        if self._owns_longterm and self.longterm.backend is not self.backend:
            reclaimed_count += self.longterm.sweep(limit)
        return reclaimed_count

    def purge(self) -> list[str]:
        """Remove deleted data from the stores' files; returns where copies may remain."""
        remaining_copies = _purge(self._backend(), self._swept_until())
        if self.longterm is not self:
            remaining_copies += self.longterm.purge()
        return list(dict.fromkeys(remaining_copies))

    def evict_user(self, user: str) -> None:
        """Drop the components' cached state of a deleted user."""
        for component in list(self._components.values()):
            if forget_user := getattr(component, "forget_user", None):
                forget_user(user)

    def touched(self, user: str, session: str) -> float:
        """When this process last moved a session to the end of its user's list; -inf = never."""
        touched_at = self._touched.get((user, session))
        return float("-inf") if touched_at is None else touched_at

    def touch(self, user: str, session: str, at: float) -> None:
        """Remember when a session was moved there, for the last 10,000 of them."""
        self._touched.put((user, session), at)

    def component(self, cls: Callable[[Engine], T]) -> T:
        """The one object of a class that belongs to this engine, created when first used.

        Its constructor must have no side effects; its `drain`, if any, is called before the engine
        closes, and its `close` when it does. It must be thread-safe and fork-safe itself.
        """
        existing_component = self._components.get(cls)
        if existing_component is None:
            # threads may create two and use one: no lock, for fork safety
            existing_component = self._components.setdefault(cls, cls(self))
        shared_component: T = existing_component
        return shared_component

    def use_longterm_store(self, longterm: Engine, *, owned: bool) -> None:
        """Keep long-term memory in another store, which is closed with this one if owned."""
        self.longterm, self._owns_longterm = longterm, owned

    async def run_in_thread(self, verb: Callable[[], R], *, reading: bool = False) -> R:
        """Run a whole verb in a thread of this engine, or directly if the backend never blocks."""
        if not self._backend().blocking:
            return verb()
        return await self._threads.run(verb, reading=reading)

    def close(self) -> None:
        """Close the store if it is owned, and stop the threads."""
        for component in list(self._components.values()):
            if drain_component := getattr(component, "drain", None):
                drain_component()
        self._closed = True
        for component in list(self._components.values()):
            if close_component := getattr(component, "close", None):
                close_component()
        if self._owns_longterm:
            self.longterm.close()
        self.recent_items.clear()
        self.session_infos.clear()
        self._threads.close()
        if self._owned:
            self.backend.close()

    def _backend(self) -> Backend:
        if self._closed:
            raise BackendError("this Memory is closed; connect() opens another")
        return self.observed or self.backend

    def _swept_until(self) -> float:
        """The time before which what expired is swept, however the clocks of workers differ."""
        return self.now() - self.settings.sweep_grace

    def _check_plain(self, stream: str) -> None:
        """Raise `WrongKey` if the namespace is encrypted, so that records are not just corrupt."""
        if store_record.read(self._backend(), stream, self.now()).encrypted:
            raise store_record.missing_key(stream)


def _purge(backend: Backend, now: float) -> list[str]:
    while backend.sweep(now, _SWEEP_LIMIT) >= _SWEEP_LIMIT:
        pass
    if isinstance(backend, SupportsPurge):
        return list(backend.purge(now))
    return ["the store's own files"]


def _random() -> str:
    return os.urandom(8).hex()
