"""Stores of other people's, as a reader of the page about imports has them."""

from __future__ import annotations

import asyncio
import shutil
import warnings
from pathlib import Path
from typing import Any

import sqlalchemy

TESTS = Path(__file__).parents[1]


def write(folder: Path) -> None:
    """One store of each kind, written by the peer itself."""
    _langchain(f"sqlite:///{folder}/langchain.db")
    asyncio.run(_llama_index(f"sqlite+aiosqlite:///{folder}/llama.db"))
    asyncio.run(_agents(folder / "conversations.db"))
    shutil.copy(
        TESTS / "integrations/llama_index/simple_chat_store.json", folder / "chat_store.json"
    )
    shutil.copytree(TESTS / "service/solace", folder / "solace")


def _langchain(url: str) -> None:
    from langchain_core.messages import AIMessage, HumanMessage

    engine = sqlalchemy.create_engine(url)
    with warnings.catch_warnings():  # that langchain-community is no longer developed
        warnings.simplefilter("ignore")
        from langchain_community.chat_message_histories import SQLChatMessageHistory

        history = SQLChatMessageHistory("chat-1", connection=engine)
    answer = AIMessage("Lisbon.", response_metadata={"model_name": "gpt-5"})
    history.add_messages([HumanMessage("Which city has the most trams?"), answer])
    engine.dispose()


async def _llama_index(url: str) -> None:
    from llama_index.core.base.llms.types import ChatMessage
    from llama_index.core.storage.chat_store.sql import SQLAlchemyChatStore

    store = SQLAlchemyChatStore(table_name="llama_index_memory", async_database_uri=url)
    said = [ChatMessage(role="user", content="hi"), ChatMessage(role="assistant", content="hello")]
    await store.add_messages("chat-2", said)
    engine: Any = store._async_engine
    await engine.dispose()


async def _agents(path: Path) -> None:
    from agents import SQLiteSession

    session = SQLiteSession("chat-3", path)
    await session.add_items(
        [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    )
    session.close()
