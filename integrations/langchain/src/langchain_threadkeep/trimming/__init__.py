"""`trim_messages`: LangChain's, with histories that providers take."""

from __future__ import annotations

from langchain_threadkeep.trimming.trim import trim_messages

__all__ = ["trim_messages"]
