"""A user: the door to their sessions, for request handlers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from threadkeep.api.conversations import Conversations
from threadkeep.api.feedback import FeedbackCollection
from threadkeep.api.responses import Responses
from threadkeep.api.session import Session
from threadkeep.core.engine import Engine, async_twin
from threadkeep.core.user_id import UserId, user_id
from threadkeep.protocols import TokenCounter
from threadkeep.sessions import user_index
from threadkeep.types import Listing, SessionInfo

if TYPE_CHECKING:
    from threadkeep.longterm.context import Context
    from threadkeep.longterm.facts import Facts
    from threadkeep.longterm.instructions import Instructions
    from threadkeep.longterm.recall.hits import Hits
    from threadkeep.types.knowledge import ForgetReport


class User:
    """What belongs to one user of a namespace. Made by `memory.user(...)`, without any I/O.

    Attributes:
        id: the application's name for the user.
        conversations: the user's sessions, with the verbs and limits of the OpenAI API.
        responses: what models answered in the user's sessions.
        feedback: what people think of it.
    """

    def __init__(self, engine: Engine, id: UserId) -> None:
        self.engine = engine
        self.id = user_id(id)
        self.conversations = Conversations(engine, self.id)
        self.responses = Responses(engine, self.id)
        self.feedback = FeedbackCollection(engine, self.id)

    @property
    def facts(self) -> Facts:
        """What is known of the user; no I/O to have it."""
        from threadkeep.longterm.facts import Facts  # most programs never ask
        from threadkeep.longterm.store import user_stream

        return Facts(self.engine, lambda: user_stream.UserStream(self.engine, user=self.id))

    @property
    def instructions(self) -> Instructions:
        """How the user wants to be served; no I/O to have it."""
        from threadkeep.longterm.instructions import Instructions
        from threadkeep.longterm.store import user_stream as homes

        return Instructions(self.engine, lambda: homes.UserStream(self.engine, user=self.id))

    def session(
        self, id: str, *, agent: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> Session:
        """A session of this user; another user's cannot be opened here. No I/O."""
        return Session(self.engine, id, user=self.id, agent=agent, metadata=metadata)

    def sessions(self, *, limit: int = 20, cursor: Any = None) -> Listing[SessionInfo]:
        """A page of the user's sessions, the one written last first; `.cursor` leads on.

        Raises:
            InputError: `limit` is not from 1 to 1,000, or the cursor is not one.
        """
        return user_index.of_user(self.engine, self.id, limit, cursor)

    def context(
        self,
        query: str | None = None,
        *,
        max_tokens: int = 800,
        counter: TokenCounter | None = None,
    ) -> Context:
        """What long-term memory has to tell a model of this user, whatever the session.

        As `Session.context`, without what is meant for one session or one agent only.

        Args:
            query: what the user says now; without it nothing is recalled.
            max_tokens: of both parts, at most.
            counter: how many tokens a text is; the default needs no network.

        Raises:
            InputError: the query is no `str`, or `max_tokens` no whole number of at least 1.
        """
        from threadkeep.longterm import context  # most programs never ask
        from threadkeep.longterm.context import gather

        context.check(query, max_tokens, counter)
        found = gather.of_user(self.engine, self.id)
        return context.of(self.engine, found, query, max_tokens, window=None, counter=counter)

    def forget(self, *, purge: bool = True) -> ForgetReport:
        """Remove everything of the user: sessions with all in them, and all that was learned.

        Returns how many records went, an `int`, with the places that it could not reach: backups,
        replicas, logs. It also walks once over all of the namespace, for what no list leads to, so
        that it takes longer the more is stored there. Let nothing be written for the user
        meanwhile; cut short, call it again.

        Args:
            purge: also have the store take what was deleted out of its own files, as by
                `memory.purge()`, which takes a while where the store is large.

        Raises:
            BackendError: the user went on writing all the time.
        """
        from threadkeep.longterm import forget as forgetting  # seldom wanted

        return forgetting.forget_user(self.engine, self.id, purge=purge)

    def export(self) -> str:
        """Everything of the user as JSON Lines, which `restore` and `threadkeep import` read.

        The first line says so and names the schema; then what was learned, then all sessions with
        their items, files, responses and feedback, exactly as they are stored.
        """
        from threadkeep.longterm import export as moving  # seldom wanted

        lines = moving.export(self.engine, self.id)
        return "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines)

    def restore(self, lines: str | Iterable[str]) -> int:
        """Store what `export` gave; what is there already stays as it is.

        Returns how many sessions, facts and instructions were new. A session without an owner
        becomes this user's. Lines may come from anybody: what could not be read again, or is
        somebody else's, is refused before anything is written.

        Raises:
            InputError: a line is not of an export, or is somebody else's; it is numbered, and
                nothing was written.
        """
        from threadkeep.longterm import export as moving  # seldom wanted

        return moving.restore_user(self.engine, self.id, lines)

    def recall(
        self,
        query: str,
        k: int = 10,
        *,
        session: str | None = None,
        role: str | None = None,
        since: datetime | float | str | None = None,
        until: datetime | float | str | None = None,
    ) -> Hits:
        """What the user's sessions and facts say to a question: the best `k`, the best first.

        By words, with nothing but the store: no model is asked. Everything is read again before
        it is given out, so that what was deleted, edited or has expired is never among it.

        Args:
            query: a question or some words.
            k: how many, at most.
            session: only of this session.
            role: only what this role said; no facts.
            since: only what was said then or later: epoch seconds, ISO 8601 or a datetime.
            until: only what was said before.

        Raises:
            InputError: a value is not what it should be; it is named.
        """
        from threadkeep.longterm.recall.query_user import recall  # most programs never ask

        return recall(
            self.engine, self.id, query, k, session=session, role=role, since=since, until=until
        )

    asessions = async_twin(sessions)
    acontext = async_twin(context)
    aexport = async_twin(export)
    arestore = async_twin(restore)
    aforget = async_twin(forget)
    arecall = async_twin(recall)

    def __repr__(self) -> str:
        return f"<User {self.id!r}>"
