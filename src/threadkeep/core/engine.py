"""What sessions, users and files stand on: a backend, a clock, a namespace, a few threads."""

from __future__ import annotations

import contextvars
import functools
import os
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from threadkeep.core import cursor as cursors
from threadkeep.core import names, store_record
from threadkeep.core.cache.generational import GenerationalCache
from threadkeep.core.cache.recent_items import RecentItemsCache
from threadkeep.core.cache.session_info import SessionInfoCache
from threadkeep.core.settings import Settings
from threadkeep.errors import BackendError, ThreadkeepError
from threadkeep.protocols import Backend
from threadkeep.types import Commit, Drop, Item, Page, Query, Record, Ttl

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

_REMEMBERED: Final = 5_000
_SWEPT: Final = 1_000
_SEALED: Final = store_record.SEALED

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class SessionListener(Protocol):
    """What reads sessions in the background; the chat path tells it, and waits for nothing."""

    def note(self, session: str, items: Sequence[Item]) -> None:
        """Take notice that something was said; no I/O."""
        ...

    def upto(self, session: str, user: str | None, life: int) -> int:
        """The seq that this life of a session was read up to."""
        ...


class Engine:
    """One store as the rest of the package uses it; thread-safe, and safe across fork.

    Attributes:
        backend: the store.
        settings: what `connect` was told.
        longterm: the engine of the store that long-term memory is in; itself unless told otherwise.
        tails: the newest items of the sessions used last.
        infos: what is known of these sessions, by stream, at a version of it.
        reader: what learns from sessions, if there is a model to do it.
    """

    def __init__(self, backend: Backend, settings: Settings, *, owned: bool) -> None:
        self.backend = backend
        self.settings = settings
        self._owned = owned
        self._closed = False
        self._agreed = False  # with all other writers, on whether this store is encrypted
        self._executors: dict[int, ThreadPoolExecutor] = {}  # by process: none survives a fork
        self.tails = RecentItemsCache()
        self.infos = SessionInfoCache()
        self._touched: GenerationalCache[tuple[str, str], float] = GenerationalCache(_REMEMBERED)
        self._parts: dict[Any, Any] = {}
        self._owns_longterm = False
        self.longterm: Engine = self
        self.reader: SessionListener | None = None

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def now(self) -> float:
        """The clock's time, epoch seconds."""
        return round(float(self.settings.clock()) * 1e6) / 1e6  # as fine as a datetime

    def stream(self, noun: str, name: str) -> str:
        """The stream of a thing in this namespace."""
        return names.stream(self.settings.namespace, noun, name)

    def mint(self, now: float) -> str:
        """A new id: unique, and near those minted at the same time, which indexes like."""
        return self.mint_many(now, 1)[0]

    def mint_many(self, now: float, count: int) -> list[str]:
        """New ids, for what is added at once."""
        start, dice = f"{int(now * 1000):012x}", os.urandom(8 * count).hex()
        return [start + dice[16 * n : 16 * n + 16] for n in range(count)]

    def read(self, *queries: Query) -> list[Page]:
        """`Backend.read`, by this clock.

        Raises:
            WrongKey: what was read is encrypted, and no key was given.
        """
        pages = self._backend().read(*queries, now=self.now())
        if any(page.records and page.records[0].body.startswith(_SEALED) for page in pages):
            self._check_plain(queries[0].stream)
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
        """`Backend.commit`, by this clock; a conditional one carries a token for its retries.

        Raises:
            WrongKey: it would be the first plain text in an encrypted store, or the reverse.
        """
        now, token = self.now(), None if expect is None else _random()
        if put and not self._agreed:
            store_record.claim(self._backend(), stream, now)
            self._agreed = True
        self.infos.drop(stream)  # unknown while it is under way, and if it fails
        done = self._backend().commit(
            stream, put=put, drop=drop, ttl=ttl, expect=expect, token=token, now=now
        )
        self.tails.follow(stream, put, drop, done, born=now if expect == 0 else None)
        return done

    def streams(self, prefix: str, *, cursor: Any, limit: int) -> tuple[list[str], Any]:
        """`Backend.streams`, while open; whatever the store says, no name of another prefix.

        Raises:
            InputError: the store cannot make anything of the cursor.
        """
        try:
            streams, after = self._backend().streams(prefix, cursor=cursor, limit=limit)
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            if cursor is None or isinstance(error, ThreadkeepError):
                raise
            raise cursors.invalid() from error  # what it means is known to the store alone
        return [stream for stream in streams if stream.startswith(prefix)], after

    def sweep(self, limit: int) -> int:
        """`Backend.sweep`, by this clock; also of the store of long-term memory, if it is ours."""
        reclaimed = self._backend().sweep(self.now(), limit)
        if self._owns_longterm and self.longterm.backend is not self.backend:
            reclaimed += self.longterm.sweep(limit)
        return reclaimed

    def purge(self) -> list[str]:
        """Have the stores take what was deleted out of their own files; where it may be left."""
        found = _purged(self._backend(), self.now())
        if self.longterm is not self:
            found += self.longterm.purge()
        return list(dict.fromkeys(found))

    def part_with(self, user: str) -> None:
        """Let the parts forget a user of whom nothing is left in the store."""
        for part in list(self._parts.values()):
            if forget := getattr(part, "forget_user", None):
                forget(user)

    def touched(self, user: str, session: str) -> float:
        """When this process last put a session at the end of its user's list; long ago if never."""
        found = self._touched.get((user, session))
        return float("-inf") if found is None else found

    def touch(self, user: str, session: str, at: float) -> None:
        """Remember that a session was put there; the oldest of very many are forgotten."""
        self._touched.put((user, session), at)

    def part(self, cls: Callable[[Engine], T]) -> T:
        """The one object of a class that goes with this engine, made when first asked for.

        Its making must have no effects; a `close` it has is called when the engine closes. It has
        to be thread-safe, and safe across fork, itself.
        """
        found = self._parts.get(cls)
        if found is None:  # threads may make two, and keep one: no lock, for the sake of forks
            found = self._parts.setdefault(cls, cls(self))
        part: T = found
        return part

    def keep_apart(self, longterm: Engine, *, owned: bool) -> None:
        """Have long-term memory in another store, which is closed with this one if it is owned."""
        self.longterm, self._owns_longterm = longterm, owned

    async def hop(self, verb: Callable[[], R]) -> R:
        """Run a whole verb on one of our threads, unless the backend never waits."""
        if not self._backend().blocking:
            return verb()
        import asyncio  # only here: it would be a quarter of the time our import takes

        context = contextvars.copy_context()
        run = functools.partial(context.run, verb)
        return await asyncio.get_running_loop().run_in_executor(self._executor(), run)

    def close(self) -> None:
        """Close the store if it was opened here, and let the threads go."""
        self._closed = True
        for part in list(self._parts.values()):
            if close := getattr(part, "close", None):
                close()
        if self._owns_longterm:
            self.longterm.close()
        self.tails.clear()
        self.infos.clear()
        if executor := self._executors.pop(os.getpid(), None):
            executor.shutdown(wait=False)
        if self._owned:
            self.backend.close()

    def _backend(self) -> Backend:
        if self._closed:
            raise BackendError("this Memory is closed; connect() opens another")
        return self.backend

    def _check_plain(self, stream: str) -> None:
        """Refuse to go on where the records are not just broken, but those of who has the key."""
        if store_record.read(self._backend(), stream, self.now()).encrypted:
            raise store_record.keyless(stream)

    def _executor(self) -> ThreadPoolExecutor:
        pid = os.getpid()
        found = self._executors.get(pid)
        if found is None:
            from concurrent.futures import ThreadPoolExecutor

            size = self.settings.pool_size
            found = self._executors.setdefault(pid, ThreadPoolExecutor(size, "threadkeep"))
        return found


def _purged(backend: Backend, now: float) -> list[str]:
    while backend.sweep(now, _SWEPT) >= _SWEPT:
        pass
    purge = getattr(backend, "purge", None)
    return ["the store's own files"] if purge is None else list(purge(now))


def _random() -> str:
    return os.urandom(8).hex()


class HasEngine(Protocol):
    """Anything whose verbs may have async twins."""

    @property
    def engine(self) -> Engine: ...


S = TypeVar("S", bound=HasEngine)


def async_twin(
    verb: Callable[Concatenate[S, P], R],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """The async twin of a verb: the same signature, run in one hop.

    A write whose awaiting task is cancelled lands whole, or, if no thread had taken it up, not
    at all.
    """

    @functools.wraps(verb)
    async def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self.engine.hop(functools.partial(verb, self, *args, **kwargs))

    run.__name__ = f"a{verb.__name__}"
    run.__qualname__ = run.__qualname__.replace(verb.__name__, run.__name__)
    return run
