"""LangGraph's store on the streams of threadkeep: one stream per namespace."""

from __future__ import annotations

from langchain_threadkeep.store.store import ThreadkeepStore

__all__ = ["ThreadkeepStore"]
