"""A user: the door to their sessions, for request handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from threadkeep import listing, names
from threadkeep.conversations import Conversations
from threadkeep.engine import Engine, twin
from threadkeep.feedback import FeedbackBook
from threadkeep.responses import Responses
from threadkeep.session import Session
from threadkeep.types import Listing, SessionInfo

if TYPE_CHECKING:
    from threadkeep.longterm.facts import Facts
    from threadkeep.longterm.instructions import Instructions


class User:
    """What belongs to one user of a namespace. Made by `memory.user(...)`, without any I/O.

    Attributes:
        id: the application's name for the user.
        conversations: the user's sessions, with the verbs and limits of the OpenAI API.
        responses: what models answered in the user's sessions.
        feedback: what people think of it.
    """

    def __init__(self, engine: Engine, id: str) -> None:
        self.engine = engine
        self.id = names.check(id, "user")
        self.conversations = Conversations(engine, self.id)
        self.responses = Responses(engine, self.id)
        self.feedback = FeedbackBook(engine, self.id)

    @property
    def facts(self) -> Facts:
        """What is known of the user; no I/O to have it."""
        from threadkeep.longterm import homes
        from threadkeep.longterm.facts import Facts  # most programs never ask

        return Facts(self.engine, lambda: homes.Home(self.engine, user=self.id))

    @property
    def instructions(self) -> Instructions:
        """How the user wants to be served; no I/O to have it."""
        from threadkeep.longterm import homes
        from threadkeep.longterm.instructions import Instructions

        return Instructions(self.engine, lambda: homes.Home(self.engine, user=self.id))

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
        return listing.of_user(self.engine, self.id, limit, cursor)

    asessions = twin(sessions)

    def __repr__(self) -> str:
        return f"<User {self.id!r}>"
