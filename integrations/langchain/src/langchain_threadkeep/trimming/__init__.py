"""`trim_messages`: as in LangChain, but with results that providers accept."""

from __future__ import annotations

from langchain_threadkeep.trimming.trim import trim_messages

__all__ = ["trim_messages"]
