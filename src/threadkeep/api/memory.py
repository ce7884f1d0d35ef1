"""Memory: what `connect` returns; it hands out sessions and users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from threadkeep.api.conversations import Conversations
from threadkeep.api.feedback import FeedbackCollection
from threadkeep.api.responses import Responses
from threadkeep.api.session import Session
from threadkeep.api.user import User
from threadkeep.core.engine import Engine, async_twin
from threadkeep.core.settings import Settings
from threadkeep.core.user_id import UserId, optional_user_id
from threadkeep.errors import ConfigError, InputError
from threadkeep.protocols import Backend
from threadkeep.sessions import user_index
from threadkeep.types import MOST, Listing, SessionInfo

if TYPE_CHECKING:
    from threadkeep.longterm.extraction.extractor import Learner
    from threadkeep.longterm.extraction.report import Report


class Memory:
    """Chat memory over one store. Made by `threadkeep.connect`; one per process serves all threads.

    A context manager, sync and async: leaving it closes what it opened.

    Attributes:
        conversations: sessions, with the verbs and limits of the OpenAI API.
        responses: what models answered.
        feedback: what people think of it.
    """

    def __init__(
        self,
        backend: Backend,
        settings: Settings | None = None,
        *,
        owned: bool = False,
        at: str = "",
    ) -> None:
        self.engine = Engine(backend, settings or Settings(), owned=owned)
        self.conversations = Conversations(self.engine)
        self.responses = Responses(self.engine)
        self.feedback = FeedbackCollection(self.engine)
        self._at = at or type(backend).__name__
        self.engine.reader = self._learner()

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
            user: whose session it is; another user's handle is refused. `None` opens any. An
                `int` or a `UUID` is the user of its text, `7` of `"7"`.
            agent: which agent of the application speaks in it.
            metadata: stored when the session begins; `session.update` changes it.

        Raises:
            ConfigError: no user, and this Memory was opened with `require_user=True`; or the user
                is no id, such as `""`, a `bool` or a `float`.
        """
        self._require(user)
        return Session(self.engine, id, user=user, agent=agent, metadata=metadata)

    def user(self, id: UserId) -> User:
        """A handle on a user; no I/O.

        Raises:
            ConfigError: the id is no `str`, `int` or `UUID`, or it is empty.
        """
        return User(self.engine, id)

    def sessions(
        self, *, user: UserId | None = None, limit: int = 20, cursor: Any = None
    ) -> Listing[SessionInfo]:
        """A page of a user's sessions, the one written last first; `.cursor` leads on.

        Without a user, of all sessions of the namespace, in no promised order.

        Raises:
            ConfigError: no user, and this Memory was opened with `require_user=True`.
            InputError: `limit` is not from 1 to 1,000, or the cursor is not one.
        """
        self._require(user)
        if user is None:
            return user_index.of_all(self.engine, limit, cursor)
        return self.user(user).sessions(limit=limit, cursor=cursor)

    def process(
        self, *, user: UserId | None = None, session: str | None = None, retry: bool = False
    ) -> Report:
        """Learn now, in this thread, from everything that was said and not read yet.

        Finds what any process said, by walking over the sessions; what another process is reading
        is left to it, what another thread is reading is waited for. A session that failed a
        moment ago, or too often, is passed over.
        Without `llm=` there is nothing to learn with, and the report is empty.

        Args:
            user: only this user's sessions.
            session: only the one of this id.
            retry: also what failed a moment ago, or too often.

        Raises:
            NotOwner: the session belongs to another user.
        """
        from threadkeep.longterm.extraction.report import Report

        owner, learner = optional_user_id(user), self._learner()
        return Report() if learner is None else learner.process(owner, session, retry=retry)

    def flush(self, *, timeout: float = 5) -> bool:
        """Wait until everything said in this process up to now was learned from; whether it was.

        Without `llm=` there is nothing to wait for.
        """
        learner = self._learner()
        return True if learner is None else learner.flush(timeout)

    def sweep(self, *, limit: int = 1_000) -> int:
        """Reclaim the space of what has expired, about `limit` entries; returns how many.

        Expired data is invisible at once; call this now and then, from as many places as you like.

        Raises:
            InputError: the limit is no whole number of at least 1.
        """
        if type(limit) is not int or limit < 1:
            raise InputError(f"limit must be a whole number of at least 1, got {limit!r}")
        return self.engine.sweep(min(limit, MOST))

    def purge(self) -> list[str]:
        """Have the store take what was deleted out of its own files, as far as it can.

        Returns where copies may be left: backups, replicas, logs. It may take as long as copying
        the store: for the night, or after `user.forget(purge=False)` of many.

        Raises:
            BackendTimeout: others did not leave the store alone within the time-out.
        """
        return self.engine.purge()

    def close(self) -> None:
        """Close the store, if it was opened here. May be called twice."""
        self.engine.close()

    asessions = async_twin(sessions)
    aprocess = async_twin(process)
    aflush = async_twin(flush)
    asweep = async_twin(sweep)
    apurge = async_twin(purge)

    async def aclose(self) -> None:
        """Close the store, if it was opened here. May be called twice."""
        self.close()

    def _learner(self) -> Learner | None:
        """Who learns; `None` if no model was given to learn with."""
        if self.engine.settings.llm is None:
            return None
        from threadkeep.longterm.extraction.extractor import Learner  # most programs never ask

        return self.engine.part(Learner)

    def _require(self, user: UserId | None) -> None:
        if user is None and self.engine.settings.require_user:
            raise ConfigError("this Memory was opened with require_user=True: pass user=")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<Memory {self._at} namespace={self.engine.settings.namespace!r}>"
