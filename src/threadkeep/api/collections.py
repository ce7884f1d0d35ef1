"""What a Memory and a user both have: conversations, responses and feedback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from threadkeep.core.engine import Engine

if TYPE_CHECKING:
    from threadkeep.api.conversations import Conversations
    from threadkeep.api.feedback import FeedbackCollection
    from threadkeep.api.responses import Responses


class HasCollections:
    """The collections of a namespace, or of one user; their modules load when first asked for."""

    _engine: Engine
    _owner: str | None = None

    @property
    def conversations(self) -> Conversations:
        """Sessions, with the verbs and limits of the OpenAI API."""
        from threadkeep.api.conversations import Conversations

        return Conversations(self._engine, self._owner)

    @property
    def responses(self) -> Responses:
        """The responses of models."""
        from threadkeep.api.responses import Responses

        return Responses(self._engine, self._owner)

    @property
    def feedback(self) -> FeedbackCollection:
        """The ratings of responses."""
        from threadkeep.api.feedback import FeedbackCollection

        return FeedbackCollection(self._engine, self._owner)
