"""Memory, which `connect` returns; it creates handles of sessions and users."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Self, TypeVar

from threadkeep.api.collections import HasCollections
from threadkeep.api.session import Session
from threadkeep.api.user import User
from threadkeep.core import names
from threadkeep.core.async_twin import async_twin
from threadkeep.core.call_limit import limit_total, reads
from threadkeep.core.engine import Engine
from threadkeep.core.settings import Settings
from threadkeep.core.suggestions import missing_attribute, refuse_container
from threadkeep.core.user_id import UserId, optional_user_id
from threadkeep.core.write_counts import WriteCounts
from threadkeep.core.wrong_calls import explain_wrong_calls
from threadkeep.errors import ConfigError, InputError
from threadkeep.printable import shown
from threadkeep.protocols import Backend, Policy, SupportsDescribe
from threadkeep.responses.search import Scope, check_limit
from threadkeep.sessions import user_index
from threadkeep.sessions.access import owner_for
from threadkeep.sessions.blob_orphans import OrphanSweeper
from threadkeep.types import MAX_COUNT, Listing, SessionInfo
from threadkeep.types.timestamps import parse_time

if TYPE_CHECKING:
    from threadkeep.core.probe import Prober
    from threadkeep.longterm.extraction.extractor import Extractor
    from threadkeep.longterm.extraction.report import Report
    from threadkeep.responses.usage import UsageGroup
    from threadkeep.sessions.stream import SessionStream
    from threadkeep.types.health import StoreCheck
    from threadkeep.types.usage import UsageRow

P = ParamSpec("P")
R = TypeVar("R")

_NONE: Final[Any] = None


@explain_wrong_calls
@refuse_container("memory.sessions(), or memory.session(id)", opened=True)
class Memory(HasCollections):
    """Chat memory over one store. Made by `threadkeep.connect`; one per process serves all threads.

    A context manager, sync and async: leaving it closes what it opened.

    Attributes:
        conversations: sessions, with the verbs and limits of the OpenAI API.
        responses: the responses of models.
        feedback: the ratings of responses.
    """

    def __init__(
        self,
        backend: Backend = _NONE,
        settings: Settings | None = None,
        *,
        owned: bool = False,
        label: str = "",
    ) -> None:
        if not isinstance(backend, Backend):
            received_type = "nothing" if backend is _NONE else f"a {type(backend).__name__}"
            raise ConfigError(
                f"Memory takes a Backend, got {received_type}: "
                "threadkeep.connect(...) opens a Memory from a URL, a dict or a Path"
            )
        self._engine = Engine(backend, settings or Settings(), owned=owned)
        self._label = label or type(backend).__name__
        self._engine.listener = self._extractor()
        if self._engine.indexes_in_background:
            self._engine.write_counts = WriteCounts(self._keep_index)
        self._said_no_model = False
        self._engine.on_edit = _follow_edit
        self._engine.component(OrphanSweeper)

    @property
    def backend(self) -> Backend:
        """The store as this Memory uses it, wrappers for encryption and metrics included."""
        return self._engine.backend

    @property
    def window(self) -> tuple[Policy, ...]:
        """The policies of `session.window()` when it is given none: `connect(window=)`."""
        return self._engine.settings.window

    @property
    def has_llm(self) -> bool:
        """Whether a model was given to learn with: `connect(llm=)`."""
        return self._engine.settings.llm is not None

    def session(
        self,
        id: str,
        *,
        user: UserId | None = None,
        agent: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Session:
        """A handle on a session; no I/O, and nothing is stored before its first write.

        Args:
            id: the application's name for it, unique in the namespace.
            user: the owner; access to another user's session is refused. `None` opens any. An
                `int` or a `UUID` is the user of its text, `7` of `"7"`.
            agent: which agent of the application speaks in it.
            metadata: stored when the session begins; `session.update` changes it.

        Raises:
            ConfigError: no user, and this Memory was opened with `require_user=True`; or the user
                is no id, such as `""`, a `bool` or a `float`.
        """
        self._require(user)
        return Session(self._engine, id, user=user, agent=agent, metadata=metadata)

    def user(self, id: UserId) -> User:
        """A handle on a user; no I/O.

        Raises:
            ConfigError: the id is no `str`, `int` or `UUID`, or it is empty.
        """
        return User(self._engine, id)

    @reads
    def sessions(
        self,
        *,
        user: UserId | None = None,
        limit: int = 20,
        cursor: Any = None,
        parent: str | None = None,
    ) -> Listing[SessionInfo]:
        """A page of a user's sessions, the latest written first; `.cursor` leads to the next page.

        Without a user, all sessions of the namespace, in no particular order. With `parent`, the id
        of a session, those of its sub-agents, which are not listed otherwise.

        Raises:
            ConfigError: no user, and this Memory was opened with `require_user=True`.
            InputError: `limit` is not from 1 to 1,000, or the cursor is not one.
        """
        self._require(user)
        if user is None:
            return user_index.all_sessions(self._engine, limit, cursor, parent)
        return self.user(user).sessions(limit=limit, cursor=cursor, parent=parent)

    @reads
    def usage(
        self,
        *,
        by: UsageGroup = "model",
        user: UserId | None = None,
        session: str | None = None,
        since: datetime | float | str | None = None,
        until: datetime | float | str | None = None,
        limit: int = 100,
        cursor: Any = None,
    ) -> Listing[UsageRow]:
        """What calls to models took: tokens by model, day, session, run, call or tool.

        A run is what follows a user's message, up to the next one. Its calls are its responses
        (`memory.responses`), where some are stored, else its items by the assistant, with the
        usage that they carry. What a fork has of its origin is counted there only. By tool, a call
        counts for each tool that it calls, so that these rows do not add up.

        All sessions in question are read, a page at a time. Rows by model, day and tool are sorted
        by their keys; those by session, run and call come as `memory.responses.list` walks.

        Args:
            by: `model`, `day` (UTC), `session`, `run`, `call` or `tool`.
            user: only of this user's sessions.
            session: only of the one of this id.
            since: only calls then or later: epoch seconds, ISO 8601 or a datetime.
            until: only calls before.
            limit: rows of a page, from 1 to 1,000.
            cursor: what the last page's `.cursor` was.

        Raises:
            InputError: an argument is not what it should be; it is named.
            NotOwner: the session belongs to another user.
            ConfigError: no user, and this Memory was opened with `require_user=True`.
        """
        from threadkeep.responses import usage as usages  # rarely needed

        span = usages.Span(
            None if since is None else parse_time(since, "since").timestamp(),
            None if until is None else parse_time(until, "until").timestamp(),
        )
        session_id = None if session is None else names.check(session, "session")
        scope = Scope(owner_for(self._engine, None, user), session_id)
        return usages.usage(self._engine, scope, span, by, check_limit(limit), cursor)

    def extract(
        self, *, user: UserId | None = None, session: str | None = None, retry: bool = False
    ) -> Report:
        """Extract long-term memory now, in this thread, from all items not read yet.

        It scans the sessions for items written by any process. Sessions that another process is
        reading are skipped; those of another thread are waited for. Sessions that failed recently,
        or too often, are skipped. Without `llm=` nothing is extracted, and the report is empty.

        Args:
            user: only this user's sessions.
            session: only the one of this id.
            retry: also sessions that failed recently, or too often.

        Raises:
            NotOwner: the session belongs to another user.
        """
        from threadkeep.longterm.extraction.report import Report

        owner, extractor = optional_user_id(user), self._extractor()
        if extractor is None and not self._said_no_model:
            import logging  # rarely needed

            self._said_no_model = True
            logging.getLogger("threadkeep").warning(
                "extract() has no model to learn with, so it learns nothing: "
                "connect(llm={'model': ...}) or connect(llm=callable) gives it one"
            )
        return Report() if extractor is None else extractor.extract(owner, session, retry=retry)

    def flush(self, *, timeout: float = 5) -> bool:
        """Wait until all items added in this process so far were read by extraction.

        Returns True if that happened in time, and at once without `llm=`.
        """
        extractor = self._extractor()
        return True if extractor is None else extractor.flush(timeout)

    def sweep(self, *, limit: int = 1_000) -> int:
        """Reclaim the space of expired data, about `limit` entries; returns how many.

        Expired data is invisible at once; its space is reclaimed when it has been over for
        `sweep_grace` seconds. Call this now and then, from any number of processes.

        Raises:
            InputError: the limit is no whole number of at least 1.
        """
        if type(limit) is not int or limit < 1:
            raise InputError(f"limit must be a whole number of at least 1, got {shown(limit)}")
        return self._engine.sweep(min(limit, MAX_COUNT))

    def index(self, *, user: UserId | None = None) -> int:
        """Keep the search index of what users said in the store; returns how many items were new.

        A store on a disk or a server does so in the background, after writes and questions, once a
        user has 500 items: then the first question of a new process need not read them all. Call
        this after an import, or where no background thread may run. Any number of processes may.

        Args:
            user: only this user's; else everybody's in the namespace.
        """
        from threadkeep.longterm.recall.segments.keep import IndexKeeper, keep_users

        owner = optional_user_id(user)
        if owner is None:
            return keep_users(self._engine)
        return self._engine.component(IndexKeeper).keep(owner)

    def purge(self) -> list[str]:
        """Remove deleted data from the store's own files, as far as possible.

        Returns where copies may remain: backups, replicas, logs. It may take as long as copying
        the store: run it at night, or after several `user.forget(purge=False)`.

        Raises:
            BackendTimeout: other users of the store did not pause within the time-out.
        """
        return self._engine.purge()

    @reads
    def describe(self) -> dict[str, str]:
        """Describe the store, as far as it can describe itself; creates nothing.

        Returns:
            Facts such as `path`, `bytes`, `schema`, and `exists` (`yes` or `no`); empty for a
            backend that has no `describe`.

        Raises:
            BackendError: the store did not answer.
        """
        backend = self.backend
        return dict(backend.describe()) if isinstance(backend, SupportsDescribe) else {}

    def check(self, *, timeout: float = 1.0) -> StoreCheck:
        """Whether the store answers a read, for readiness probes; never an error.

        It returns within `timeout` seconds, whatever hangs. The read is one as any other, so at
        first it may open a connection and prepare the store. A long-term store of its own is not
        asked.

        Args:
            timeout: seconds to wait for an answer.

        Raises:
            InputError: the timeout is no number of seconds above 0.
        """
        return self._prober().check(self._label, _seconds(timeout))

    async def acheck(self, *, timeout: float = 1.0) -> StoreCheck:  # noqa: ASYNC109 (a report, no error)
        return await self._prober().acheck(self._label, _seconds(timeout))

    acheck.__doc__ = check.__doc__

    async def to_thread(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function that uses this Memory on one of its threads, as the async verbs do.

        Context variables are copied. If the backend never waits on I/O, the function runs at once
        in the event loop's thread.
        """
        return await self._engine.run_in_thread(functools.partial(fn, *args, **kwargs))

    def timeout(self, seconds: float) -> AbstractContextManager[None]:
        """Limit all calls to stores inside a `with` block together, sync and async alike.

        For a request that has an own deadline. `connect(timeout=)` still limits each call. A
        write that was given up may have been made, as after a lost connection.

        Raises:
            InputError: the timeout is no number of seconds above 0.
        """
        return limit_total(_seconds(seconds))

    def close(self) -> None:
        """Close the store, if it was opened here. May be called twice."""
        self._engine.close()

    asessions = async_twin(sessions)
    ausage = async_twin(usage)
    aextract = async_twin(extract)
    aflush = async_twin(flush)
    aindex = async_twin(index)
    asweep = async_twin(sweep)
    apurge = async_twin(purge)
    adescribe = async_twin(describe)

    async def aclose(self) -> None:
        """Close the store, if it was opened here. May be called twice."""
        self.close()

    def _keep_index(self, user: str) -> None:
        """Have a user's kept index grow, in the background."""
        from threadkeep.longterm.recall.segments.keep import IndexKeeper  # rarely needed

        self._engine.component(IndexKeeper).note(user)

    def _extractor(self) -> Extractor | None:
        """The extractor; `None` without a model."""
        if self._engine.settings.llm is None:
            return None
        from threadkeep.longterm.extraction.extractor import Extractor  # rarely needed

        return self._engine.component(Extractor)

    def _prober(self) -> Prober:
        from threadkeep.core.probe import Prober  # rarely needed

        return self._engine.component(Prober)

    def _require(self, user: UserId | None) -> None:
        if user is None and self._engine.settings.require_user:
            raise ConfigError("this Memory was opened with require_user=True: pass user=")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    if not TYPE_CHECKING:  # to a type checker, an unknown name stays an error

        def __getattr__(self, name: str) -> object:
            raise missing_attribute(self, name)

    def __repr__(self) -> str:
        return f"<Memory {self._label} namespace={self._engine.settings.namespace!r}>"


_MAX_SECONDS: Final = 1e9


def _follow_edit(stream: SessionStream, ids: Sequence[str]) -> None:
    """Have long-term memory follow what was replaced or removed in a session."""
    from threadkeep.longterm import follow  # most programs never edit

    follow.after_edit(stream, ids)


def _seconds(timeout: object) -> float:
    is_number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not is_number or not 0 < timeout < _MAX_SECONDS:  # type: ignore[operator]
        raise InputError(f"timeout must be seconds, more than 0, got {shown(timeout)}")
    return float(timeout)  # type: ignore[arg-type]
