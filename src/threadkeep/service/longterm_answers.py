"""What the history service tells of long-term memory; empty where that is off."""

from __future__ import annotations

from abc import ABC, abstractmethod

from threadkeep.api.session import Session
from threadkeep.core.user_id import UserId
from threadkeep.service.settings import ServiceSettings


class LongtermAnswers(ABC):
    """The questions about long-term memory, for `HistoryService`."""

    _settings: ServiceSettings

    @abstractmethod
    def _session(self, session_id: str, identity: UserId | None = None) -> Session:
        """The session, opened for the user of an identity."""

    def get_context(
        self,
        session_id: str,
        identity: UserId | None = None,
        *,
        query: str | None = None,
        max_tokens: int = 800,
        files: bool = False,
    ) -> str:
        """The long-term memory as text for the model, to follow its instructions.

        Empty if nothing is stored, or long-term memory is off.

        Args:
            session_id: the session.
            identity: the user; without one, the session's own, or the session itself.
            query: the user's current message: earlier messages and facts about it are included.
            max_tokens: maximum length of the text.
            files: include the names of the session's files.

        Raises:
            InputError: `query` or `max_tokens` is invalid.
            NotOwner: the session belongs to another user.
        """
        chat = self._session(session_id, identity)
        if self._settings.longterm is None:
            return ""
        return chat.context(query, max_tokens=max_tokens, files=files)

    def get_facts(self, session_id: str, identity: UserId | None = None) -> list[str]:
        """The facts about the user, or about the session if it has no user.

        Raises:
            NotOwner: the session belongs to another user.
        """
        facts = self._session(session_id, identity).facts
        return [] if self._settings.longterm is None else [fact.text for fact in facts.list()]

    def get_instructions(self, session_id: str, identity: UserId | None = None) -> list[str]:
        """The user's instructions that apply to this session, the most important first.

        Raises:
            NotOwner: the session belongs to another user.
        """
        collection = self._session(session_id, identity).instructions
        instructions = [] if self._settings.longterm is None else collection.list()
        return [
            instruction.text
            for instruction in instructions
            if instruction.session in (None, session_id) and not instruction.agent
        ]

    def get_summary(self, session_id: str, identity: UserId | None = None) -> str:
        """The rolling summary of the session; empty if there is none yet.

        Raises:
            NotOwner: the session belongs to another user.
        """
        chat = self._session(session_id, identity)
        summary = None if self._settings.longterm is None else chat.summary()
        return "" if summary is None else summary.text
