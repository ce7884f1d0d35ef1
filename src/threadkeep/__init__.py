"""Chat memory that keeps the thread."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from threadkeep import errors, policies
from threadkeep.api.memory import Memory
from threadkeep.api.session import Session
from threadkeep.api.user import User
from threadkeep.connect import connect
from threadkeep.core.suggestions import missing_name, suggest_for_values
from threadkeep.protocols import Backend
from threadkeep.types import Drop, Item, Listing, Query, Record, SessionInfo
from threadkeep.window import Window

if TYPE_CHECKING:
    from threadkeep.importers import import_chats
    from threadkeep.service import HistoryService
    from threadkeep.types.embedder import Embedder

__version__ = "0.1.0"

__all__ = [
    "connect",
    "Memory",
    "Session",
    "User",
    "Item",
    "Window",
    "Record",
    "Query",
    "Drop",
    "Backend",
    "HistoryService",
    "import_chats",
    "Embedder",
    "policies",
    "errors",
]


suggest_for_values(Item, SessionInfo, Listing)
_LAZY = {
    "Embedder": "threadkeep.types.embedder",
    "HistoryService": "threadkeep.service",
    "import_chats": "threadkeep.importers",
}


def __getattr__(name: str) -> Any:
    """What is loaded when it is first asked for: most programs never do."""
    if name not in _LAZY:
        raise missing_name(__name__, name)
    attribute = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = attribute
    return attribute


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext threadkeep`: the magic `%threadkeep` opens a store."""
    from threadkeep.adapters import notebook  # for notebooks only

    notebook.load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext threadkeep`: close what the magic opened."""
    from threadkeep.adapters import notebook

    notebook.unload(shell)


_PUBLIC_PACKAGES = (
    "agent_framework",
    "google_adk",
    "backends", "importers", "langchain", "llama_index", "openai_agents", "service", "testing",
    "pydantic_ai",
)  # fmt: skip


def __dir__() -> list[str]:
    """The public names, and the public packages that were imported."""
    return sorted({*__all__, "__version__", *(globals().keys() & {*_PUBLIC_PACKAGES})})
