"""A LangGraph checkpointer on threadkeep streams, which stores each message once."""

from __future__ import annotations

from langchain_threadkeep.saver.checkpoint_import import import_checkpoints
from langchain_threadkeep.saver.saver import ThreadkeepSaver

__all__ = ["ThreadkeepSaver", "import_checkpoints"]
