"""A LlamaIndex chat engine whose chat survives a restart."""

from __future__ import annotations

from typing import Any


def with_threadkeep(llm: Any, question: str) -> str:
    """`ThreadkeepMemory`; without a memory it uses the store of `connect()`."""
    from llama_index.core.chat_engine import SimpleChatEngine

    from llama_index.memory.threadkeep import ThreadkeepMemory

    memory = ThreadkeepMemory.from_defaults("chat-42")
    engine = SimpleChatEngine.from_defaults(llm=llm, memory=memory)
    return str(engine.chat(question))


def with_llama_index(llm: Any, question: str) -> str:
    """LlamaIndex' own `Memory`, on SQLite."""
    from llama_index.core.chat_engine import SimpleChatEngine
    from llama_index.core.memory import Memory

    memory = Memory.from_defaults("chat-42", async_database_uri="sqlite+aiosqlite:///chat.db")
    engine = SimpleChatEngine.from_defaults(llm=llm, memory=memory)
    return str(engine.chat(question))
