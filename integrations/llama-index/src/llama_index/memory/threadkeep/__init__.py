"""threadkeep chat memory for LlamaIndex."""

from __future__ import annotations

from llama_index.memory.threadkeep.async_store import ThreadkeepAsyncChatStore
from llama_index.memory.threadkeep.chat_store import ThreadkeepChatStore
from llama_index.memory.threadkeep.import_stores import (
    import_simple_chat_store,
    import_sqlalchemy_store,
)
from llama_index.memory.threadkeep.memory import ThreadkeepMemory
from llama_index.memory.threadkeep.memory_blocks import (
    FactsBlock,
    FilesBlock,
    InstructionsBlock,
    SummaryBlock,
)
from llama_index.memory.threadkeep.read_more import read_more_tool
from llama_index.memory.threadkeep.tools import memory_tools

__all__ = [
    "ThreadkeepAsyncChatStore",
    "ThreadkeepChatStore",
    "ThreadkeepMemory",
    "FactsBlock",
    "InstructionsBlock",
    "SummaryBlock",
    "FilesBlock",
    "memory_tools",
    "read_more_tool",
    "import_simple_chat_store",
    "import_sqlalchemy_store",
]


def __dir__() -> list[str]:
    return sorted(__all__)
