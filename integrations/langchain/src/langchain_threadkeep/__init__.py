"""threadkeep chat memory for LangChain and LangGraph."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from langchain_threadkeep.history import (
        HISTORY_FACTORY_CONFIG,
        ThreadkeepChatMessageHistory,
        session_history_factory,
    )
    from langchain_threadkeep.import_sql import import_sql
    from langchain_threadkeep.middleware import ThreadkeepMiddleware
    from langchain_threadkeep.nodes import load_history_node, save_history_node
    from langchain_threadkeep.runnable import with_history
    from langchain_threadkeep.saver import ThreadkeepSaver, import_checkpoints
    from langchain_threadkeep.store import ThreadkeepStore
    from langchain_threadkeep.summarizer import threadkeep_summarizer
    from langchain_threadkeep.tools import memory_tools
    from langchain_threadkeep.trimming import trim_messages

__all__ = [
    "ThreadkeepMiddleware",
    "memory_tools",
    "threadkeep_summarizer",
    "ThreadkeepChatMessageHistory",
    "session_history_factory",
    "HISTORY_FACTORY_CONFIG",
    "with_history",
    "load_history_node",
    "save_history_node",
    "trim_messages",
    "ThreadkeepStore",
    "ThreadkeepSaver",
    "import_checkpoints",
    "import_sql",
]

_MODULES: Final = {
    "ThreadkeepMiddleware": "middleware",
    "memory_tools": "tools",
    "threadkeep_summarizer": "summarizer",
    "ThreadkeepChatMessageHistory": "history",
    "session_history_factory": "history",
    "HISTORY_FACTORY_CONFIG": "history",
    "with_history": "runnable",
    "load_history_node": "nodes",
    "save_history_node": "nodes",
    "trim_messages": "trimming",
    "ThreadkeepStore": "store",
    "ThreadkeepSaver": "saver",
    "import_checkpoints": "saver",
    "import_sql": "import_sql",
}


def __getattr__(name: str) -> Any:
    """Import the module of a name on first access, so that chains need no LangGraph."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    exported_object = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = exported_object
    return exported_object


def __dir__() -> list[str]:
    return sorted(__all__)
