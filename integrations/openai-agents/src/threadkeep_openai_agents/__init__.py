"""threadkeep sessions for the OpenAI Agents SDK."""

from __future__ import annotations

from threadkeep_openai_agents.import_sqlite import import_sqlite
from threadkeep_openai_agents.instructions import instructions
from threadkeep_openai_agents.record_responses import RecordingHooks
from threadkeep_openai_agents.session import ThreadkeepSession

__all__ = ["RecordingHooks", "ThreadkeepSession", "import_sqlite", "instructions"]
