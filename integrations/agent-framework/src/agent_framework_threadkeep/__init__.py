"""Threadkeep history and context for the Microsoft Agent Framework."""

from __future__ import annotations

from agent_framework_threadkeep.context_provider import ThreadkeepContextProvider
from agent_framework_threadkeep.history_provider import ThreadkeepHistoryProvider

__all__ = [
    "ThreadkeepContextProvider",
    "ThreadkeepHistoryProvider",
]


def __dir__() -> list[str]:
    return sorted(__all__)
