"""threadkeep sessions for the OpenAI Agents SDK."""

from __future__ import annotations

from threadkeep_openai_agents.importing import import_sqlite
from threadkeep_openai_agents.recording import RecordingHooks
from threadkeep_openai_agents.session import ThreadkeepSession
from threadkeep_openai_agents.telling import instructions

__all__ = ["RecordingHooks", "ThreadkeepSession", "import_sqlite", "instructions"]
