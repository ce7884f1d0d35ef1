"""Conversations written by LlamaIndex's own stores, imported.

`simple_chat_store.json` is what `SimpleChatStore.persist` of llama-index-core 0.14.25 wrote with
pydantic 2.13: with 2.14 it can write nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.storage.chat_store.base_db import MessageStatus
from llama_index.core.storage.chat_store.sql import SQLAlchemyChatStore

from llama_index.memory.threadkeep import (
    ThreadkeepChatStore,
    import_simple_chat_store,
    import_sqlalchemy_store,
)
from threadkeep.errors import ConfigError, NotOwner

JSON = Path(__file__).with_name("simple_chat_store.json")


@pytest.mark.proves("C9")
def test_a_persisted_chat_store(memory):
    for _ in range(2):  # a second import adds nothing
        assert import_simple_chat_store(JSON, memory, user="ada") == {"a": 4, "b/ä": 1}
        store = ThreadkeepChatStore(memory=memory)
        asked, called, result, answer = store.get_messages("a")
        assert asked == ChatMessage(role="user", content="Weather in Oslo?")
        assert isinstance(called.blocks[1], ToolCallBlock)
        assert result.additional_kwargs == {"tool_call_id": "c1"}
        assert answer.content == "21 degrees"
        assert len(store.get_messages("b/ä")) == 1
    assert memory.session("a").info().user == "ada"


@pytest.mark.proves("C9")
def test_what_was_said_since_is_added(memory, tmp_path):
    import_simple_chat_store(JSON, memory)
    data = json.loads(JSON.read_text("utf-8"))
    data["store"]["a"].append(json.loads(ChatMessage(role="user", content="new").model_dump_json()))
    later = tmp_path / "later.json"
    later.write_text(json.dumps(data))
    import_simple_chat_store(later, memory)
    assert [item.text for item in memory.session("a").items()][-2:] == ["21 degrees", "new"]
    assert len(memory.session("a").items()) == 5


def test_what_is_no_such_file_is_named(memory, tmp_path):
    (tmp_path / "other.json").write_text("[]")
    for path in (tmp_path / "other.json", tmp_path / "nowhere.json"):
        with pytest.raises(ConfigError, match=path.stem):
            import_simple_chat_store(path, memory)


@pytest.fixture
def written(tmp_path):
    """A file of the real `SQLAlchemyChatStore`: 1,200 messages of one key, some archived."""
    path = tmp_path / "theirs.db"

    async def story():
        store = SQLAlchemyChatStore(
            table_name="llama_index_memory", async_database_uri=f"sqlite+aiosqlite:///{path}"
        )
        blocks = [ToolCallBlock(tool_call_id="c", tool_name="n", tool_kwargs={"a": 1})]
        await store.add_message("a", ChatMessage(role="assistant", blocks=blocks))
        many = [ChatMessage(role="user", content=f"m{n}") for n in range(1_200)]
        await store.add_messages("b", many)
        await store.archive_oldest_messages("b", 7)
        assert await store.count_messages("b", MessageStatus.ARCHIVED) == 7
        engine: Any = store._async_engine
        await engine.dispose()

    asyncio.run(story())
    return path


@pytest.mark.proves("C9")
def test_a_sqlalchemy_store_in_order_whole_and_untouched(memory, written):
    before = hashlib.sha256(written.read_bytes()).hexdigest()
    for _ in range(2):
        assert import_sqlalchemy_store(f"sqlite:///{written}", memory) == {"a": 1, "b": 1_200}
        store = ThreadkeepChatStore(memory=memory)
        assert [m.content for m in store.get_messages("b")] == [f"m{n}" for n in range(1_200)]
        assert isinstance(store.get_messages("a")[0].blocks[0], ToolCallBlock)
    assert hashlib.sha256(written.read_bytes()).hexdigest() == before


def test_a_session_of_somebody_else_is_left_alone(memory, written):
    memory.session("a", user="eve").add("mine")
    with pytest.raises(NotOwner):
        import_sqlalchemy_store(f"sqlite:///{written}", memory, user="ada")
    assert len(memory.session("a").items()) == 1


def test_a_table_that_is_not_there_is_named(memory, written):
    with pytest.raises(ConfigError, match="elsewhere"):
        import_sqlalchemy_store(f"sqlite:///{written}", memory, table_name="elsewhere")


def test_a_file_that_is_not_there_is_named_and_not_made(memory, tmp_path):
    with pytest.raises(ConfigError, match="nowhere"):
        import_sqlalchemy_store(f"sqlite:///{tmp_path}/nowhere.db", memory)
    assert not (tmp_path / "nowhere.db").exists()
