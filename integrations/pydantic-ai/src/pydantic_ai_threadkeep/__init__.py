"""threadkeep for Pydantic AI: a conversation store, and memory for agents."""

from __future__ import annotations

from pydantic_ai_threadkeep.capability import ThreadkeepCapability
from pydantic_ai_threadkeep.store import ThreadkeepConversationStore

__all__ = ["ThreadkeepConversationStore", "ThreadkeepCapability"]


def __dir__() -> list[str]:
    return sorted(__all__)
