"""threadkeep chat memory for LlamaIndex."""

from __future__ import annotations

from llama_index.memory.threadkeep.async_store import ThreadkeepAsyncChatStore
from llama_index.memory.threadkeep.chat_store import ThreadkeepChatStore
from llama_index.memory.threadkeep.memory import ThreadkeepMemory

__all__ = ["ThreadkeepAsyncChatStore", "ThreadkeepChatStore", "ThreadkeepMemory"]
