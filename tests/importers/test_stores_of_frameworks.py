"""Stores written by the frameworks' own classes."""

from __future__ import annotations

import asyncio
import json
import warnings
from typing import Any

import pytest
from agents.memory.sqlite_session import SQLiteSession
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage, messages_to_dict
from llama_index.core.llms import ChatMessage
from llama_index.core.storage.chat_store.sql import SQLAlchemyChatStore
from sqlalchemy import create_engine

from langchain_threadkeep import ThreadkeepChatMessageHistory, import_sql
from llama_index.memory.threadkeep import import_simple_chat_store
from openai_agents_threadkeep import import_sqlite
from tests.importers.conftest import said
from tests.integrations.llama_index.test_llama_importing import JSON as SIMPLE_CHAT_STORE
from threadkeep import import_chats
from threadkeep.testing import assert_valid

with warnings.catch_warnings():  # it says that it will be no longer maintained
    warnings.simplefilter("ignore", DeprecationWarning)
    from langchain_community.chat_message_histories import (
        FileChatMessageHistory,
        SQLChatMessageHistory,
    )

MESSAGES = [
    HumanMessage("What is 1+2?", id="h1"),
    AIMessage("", id="a1", tool_calls=[{"id": "c1", "name": "add", "args": {"a": 1, "b": 2}}]),
    ToolMessage("3", tool_call_id="c1", id="t1"),
    AIMessage("It is 3.", id="a2", response_metadata={"model_name": "gpt-5"}),
]


def test_sql_history_of_langchain(memory, tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'lc.db'}")
    SQLChatMessageHistory("s1", connection=engine).add_messages(MESSAGES)
    SQLChatMessageHistory("s2", connection=engine).add_messages(MESSAGES[:1])
    engine.dispose()
    report = import_chats(memory, tmp_path / "lc.db", user="ada")
    assert (report.sessions, report.messages, report.skipped) == (2, 5, [])
    assert_valid(memory.session("s1").window().to_openai(), provider="openai")
    restored = ThreadkeepChatMessageHistory("s1", memory, user="ada").messages
    assert [m.content for m in restored] == [m.content for m in MESSAGES]
    assert restored[3].response_metadata == {"model_name": "gpt-5"}
    import_sql(f"sqlite:///{tmp_path / 'lc.db'}", memory, user="ada")  # names them alike
    assert len(memory.session("s1").items()) == 4


@pytest.mark.parametrize("dump", ["file", "dumpd", "model_dump", "lines", "sessions"])
def test_dumps_of_langchain(memory, tmp_path, dump):
    path = tmp_path / "s1.json"
    if dump == "file":
        FileChatMessageHistory(str(path)).add_messages(MESSAGES)
    elif dump == "dumpd":
        path.write_text(json.dumps([dumpd(m) for m in MESSAGES]))
    elif dump == "model_dump":
        path.write_text(json.dumps([m.model_dump() for m in MESSAGES]))
    elif dump == "lines":
        path.write_text("".join(json.dumps(d) + "\n" for d in messages_to_dict(MESSAGES)))
    else:
        path.write_text(json.dumps({"s1": messages_to_dict(MESSAGES)}))
    report = import_chats(memory, path)
    assert (report.messages, report.skipped) == (4, [])
    assert said(memory, "s1")[0] == ("user", "What is 1+2?")
    assert_valid(memory.session("s1").window().to_openai(), provider="openai")
    assert import_chats(memory, path).existing == 4


def test_sessions_of_the_agents_sdk(memory, tmp_path):
    path = tmp_path / "agents.db"
    session = SQLiteSession("s1", path)
    items: list[Any] = [
        {"role": "user", "content": "Weather?"},
        {"type": "function_call", "call_id": "c1", "name": "w", "arguments": "{}", "id": "__fake"},
        {"type": "function_call_output", "call_id": "c1", "output": "rain"},
        {"type": "message", "role": "assistant", "id": "__fake", "status": "completed",
         "content": [{"type": "output_text", "text": "Rain.", "annotations": []}]},
    ]  # fmt: skip
    asyncio.run(session.add_items(items))
    session.close()
    report = import_chats(memory, path, user="ada")
    assert (report.messages, report.skipped) == (4, [])
    assert memory.session("s1").info().user == "ada"
    assert_valid(memory.session("s1").window().to_responses(), provider="responses")
    import_sqlite(path, memory, user="ada")
    assert len(memory.session("s1").items()) == 4


def test_chat_stores_of_llama_index(memory, tmp_path):
    report = import_chats(memory, SIMPLE_CHAT_STORE, user="ada")
    assert (report.sessions, report.messages, report.skipped) == (2, 5, [])
    assert memory.session("a").items()[0].text == "Weather in Oslo?"
    assert_valid(memory.session("a").window().to_openai(), provider="openai")
    saved = {"chat_store": SIMPLE_CHAT_STORE.read_text("utf-8"), "chat_store_key": "a"}
    (tmp_path / "buffer.json").write_text(json.dumps(saved))  # as ChatMemoryBuffer.to_string
    assert import_chats(memory, tmp_path / "buffer.json", user="ada").existing == 5
    import_simple_chat_store(SIMPLE_CHAT_STORE, memory, user="ada")
    assert len(memory.session("a").items()) == 4


def test_sql_chat_store_of_llama_index(memory, tmp_path):
    async def fill():
        uri = f"sqlite+aiosqlite:///{tmp_path / 'l.db'}"
        store = SQLAlchemyChatStore("llama_index_memory", async_database_uri=uri)
        await store.add_messages("k1", [ChatMessage("Hi"), ChatMessage("Yes", role="assistant")])
        if store._async_engine is not None:
            await store._async_engine.dispose()

    asyncio.run(fill())
    report = import_chats(memory, tmp_path / "l.db")
    assert (report.messages, report.skipped) == (2, [])
    assert said(memory, "k1") == [("user", "Hi"), ("assistant", "Yes")]
