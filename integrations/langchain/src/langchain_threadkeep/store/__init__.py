"""A LangGraph store on threadkeep streams: one stream per namespace."""

from __future__ import annotations

from langchain_threadkeep.store.store import ThreadkeepStore

__all__ = ["ThreadkeepStore"]
