"""Threadkeep sessions and memory for Google ADK."""

from __future__ import annotations

from google_adk_threadkeep.instructions import instructions
from google_adk_threadkeep.memory_service import ThreadkeepMemoryService
from google_adk_threadkeep.session_ids import stored_session_id
from google_adk_threadkeep.session_service import ThreadkeepSessionService

__all__ = [
    "ThreadkeepMemoryService",
    "ThreadkeepSessionService",
    "instructions",
    "stored_session_id",
]


def __dir__() -> list[str]:
    return sorted(__all__)
