"""threadkeep sessions for the OpenAI Agents SDK."""

from __future__ import annotations

from openai_agents_threadkeep.import_sqlite import import_sqlite
from openai_agents_threadkeep.instructions import instructions
from openai_agents_threadkeep.read_more import read_more_tool
from openai_agents_threadkeep.record_responses import RecordingHooks
from openai_agents_threadkeep.session import ThreadkeepSession

__all__ = [
    "RecordingHooks",
    "ThreadkeepSession",
    "import_sqlite",
    "instructions",
    "read_more_tool",
]


def __dir__() -> list[str]:
    return sorted(__all__)
