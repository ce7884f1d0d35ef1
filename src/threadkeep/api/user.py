"""A handle on a user, for request handlers: sessions, memory, export and erasure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from threadkeep.api.collections import HasCollections
from threadkeep.api.session import Session
from threadkeep.core.async_twin import async_twin
from threadkeep.core.call_limit import reads
from threadkeep.core.engine import Engine
from threadkeep.core.suggestions import (
    missing_attribute,
    refuse_container,
)
from threadkeep.core.user_id import UserId, user_id
from threadkeep.core.wrong_calls import explain_wrong_calls
from threadkeep.errors import ThreadkeepError
from threadkeep.protocols import TokenCounter
from threadkeep.sessions import user_index
from threadkeep.types import Listing, SessionInfo

if TYPE_CHECKING:
    from threadkeep.longterm.context import Context
    from threadkeep.longterm.facts import Facts
    from threadkeep.longterm.instructions import Instructions
    from threadkeep.longterm.recall.hits import Hits
    from threadkeep.types.knowledge import ForgetReport, Refusal

_HTML_ROWS: Final = 20


@explain_wrong_calls
@refuse_container("user.facts.list() and user.sessions()")
class User(HasCollections):
    """What belongs to one user of a namespace. Made by `memory.user(...)`, without any I/O.

    Attributes:
        id: the application's name for the user.
        conversations: the user's sessions, with the verbs and limits of the OpenAI API.
        responses: the responses of models in the user's sessions.
        feedback: the ratings of these responses.
    """

    def __init__(self, engine: Engine, id: UserId) -> None:
        self._engine = engine
        self.id = user_id(id)
        self._owner = self.id

    @property
    def facts(self) -> Facts:
        """The facts about the user; no I/O by itself."""
        from threadkeep.longterm.facts import Facts  # rarely needed
        from threadkeep.longterm.store import user_stream

        return Facts(self._engine, lambda: user_stream.UserStream(self._engine, user=self.id))

    @property
    def instructions(self) -> Instructions:
        """The user's instructions; no I/O by itself."""
        from threadkeep.longterm.instructions import Instructions
        from threadkeep.longterm.store.user_stream import UserStream

        return Instructions(self._engine, lambda: UserStream(self._engine, user=self.id))

    def session(
        self, id: str, *, agent: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> Session:
        """A session of this user; another user's cannot be opened here. No I/O."""
        return Session(self._engine, id, user=self.id, agent=agent, metadata=metadata)

    @reads
    def sessions(
        self, *, limit: int = 20, cursor: Any = None, parent: str | None = None
    ) -> Listing[SessionInfo]:
        """A page of the user's sessions, latest written first; `.cursor` leads to the next page.

        With `parent`, the id of a session, those of its sub-agents, which are not listed otherwise.

        Raises:
            InputError: `limit` is not from 1 to 1,000, or the cursor is not one.
        """
        return user_index.user_sessions(self._engine, self.id, limit, cursor, parent)

    @reads
    def context(
        self,
        query: str | None = None,
        *,
        max_tokens: int = 800,
        counter: TokenCounter | None = None,
    ) -> Context:
        """The text of long-term memory about this user, for any session.

        As `Session.context`, without what is meant for one session or one agent only.

        Args:
            query: what the user says now; without it nothing is recalled.
            max_tokens: of both parts, at most.
            counter: how many tokens a text is; the default needs no network.

        Raises:
            InputError: the query is no `str`, or `max_tokens` no whole number of at least 1.
        """
        from threadkeep.longterm import context  # rarely needed
        from threadkeep.longterm.context import gather

        context.check(query, max_tokens, counter)
        knowledge = gather.of_user(self._engine, self.id)
        return context.build(
            self._engine, knowledge, query, max_tokens, window=None, counter=counter
        )

    def forget(self, *, purge: bool = True) -> ForgetReport:
        """Delete everything of the user: all sessions, and all long-term memory.

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
        from threadkeep.longterm import forget as forgetting  # rarely needed

        return forgetting.forget_user(self._engine, self.id, purge=purge)

    def export(self) -> str:
        """Everything of the user as JSON Lines, which `restore` and `threadkeep import` read.

        The first line says so and names the schema; then what was learned, then all sessions with
        their items, files, responses and feedback, exactly as they are stored.
        """
        from threadkeep.longterm.export import export  # rarely needed

        lines = export(self._engine, self.id)
        return "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines)

    def restore(self, lines: str | Iterable[str], *, keep_forgotten: bool = True) -> int:
        """Store what `export` gave; what is there already stays as it is.

        What was forgotten stays forgotten, and what was read is not read again.

        Returns how many sessions, facts and instructions were new. A session without an owner
        becomes this user's. Lines may come from anybody: what could not be read again, or is
        somebody else's, is refused before anything is written.

        Args:
            lines: of an export.
            keep_forgotten: `False` brings back, for operators, what was forgotten since the export
                was made, and takes over no marks of what was forgotten before.

        Raises:
            InputError: a line is not of an export, or is somebody else's; it is numbered, and
                nothing was written.
        """
        from threadkeep.longterm.restore import restore_user  # rarely needed

        return restore_user(self._engine, self.id, lines, keep_forgotten=keep_forgotten)

    @reads
    def recall(
        self,
        query: str,
        k: int = 10,
        *,
        kind: Literal["fact", "item"] | None = None,
        session: str | None = None,
        role: str | None = None,
        since: datetime | float | str | None = None,
        until: datetime | float | str | None = None,
    ) -> Hits:
        """Search the user's items and facts for a question; returns the best `k`, best first.

        Each hit says `why` it was found: by which words, of its own or of its neighbours, by its
        speaker, its date, the facts learned from it, or its meaning.

        A keyword search in the store, without a model. Every hit is read again before it is
        returned, so deleted, edited and expired data is never returned. `hits.complete` is `False`
        while a user has more items that no index holds yet than one question reads.

        Args:
            query: a question or some words.
            k: how many, at most.
            kind: only facts, or only items.
            session: only of this session.
            role: only what this role said; no facts.
            since: only what was said then or later: epoch seconds, ISO 8601 or a datetime.
            until: only what was said before.

        Raises:
            InputError: a value is not what it should be; it is named.
        """
        from threadkeep.longterm.recall.query_user import recall

        return recall(
            self._engine,
            self.id,
            query,
            k,
            kind=kind,
            session=session,
            role=role,
            since=since,
            until=until,
        )

    def refused(self, *, limit: int | None = None) -> Listing[Refusal]:
        """What learning proposed and is not known, with the reason and the source; newest last.

        What waits in quarantine is among it; `facts.approve(id)` and `instructions.approve(id)`
        make an entry known. The newest 200 that were dropped are kept.

        Args:
            limit: only so many of the newest.

        Raises:
            InputError: `limit` is no whole number of at least 1.
        """
        from threadkeep.longterm import refused as refusals  # rarely needed
        from threadkeep.longterm.store import user_stream

        stream = user_stream.UserStream(self._engine, user=self.id)
        return refusals.listed(stream.load(), limit)

    asessions = async_twin(sessions)
    arefused = async_twin(refused)
    acontext = async_twin(context)
    aexport = async_twin(export)
    arestore = async_twin(restore)
    aforget = async_twin(forget)
    arecall = async_twin(recall)

    if not TYPE_CHECKING:  # to a type checker, an unknown name stays an error

        def __getattr__(self, name: str) -> object:
            raise missing_attribute(self, name)

    def __repr__(self) -> str:
        return f"<User {self.id!r}>"

    def _repr_html_(self) -> str | None:
        """What is known, and the newest sessions, for notebooks; `None` if they are unreadable."""
        from threadkeep.longterm.html import entries_table  # rarely needed
        from threadkeep.sessions.session_table import sessions_table

        try:
            facts = self.facts.list(limit=_HTML_ROWS)
            instructions = self.instructions.list()
            newest_sessions = self.sessions(limit=_HTML_ROWS)
        except ThreadkeepError:
            return None
        return entries_table(facts) + entries_table(instructions) + sessions_table(newest_sessions)
