"""threadkeep conversation stores for Pydantic AI."""

from __future__ import annotations

from pydantic_ai_threadkeep.store import ThreadkeepConversationStore

__all__ = ["ThreadkeepConversationStore"]


def __dir__() -> list[str]:
    return sorted(__all__)
