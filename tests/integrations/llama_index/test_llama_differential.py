"""Our chat stores and memory beside LlamaIndex's own, on generated programs of calls."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock, ThinkingBlock
from llama_index.core.memory import ChatMemoryBuffer, Memory
from llama_index.core.storage.chat_store import SimpleChatStore
from llama_index.core.storage.chat_store.base_db import MessageStatus
from llama_index.core.storage.chat_store.sql import SQLAlchemyChatStore
from sqlalchemy.ext.asyncio import create_async_engine

import threadkeep
from llama_index.memory.threadkeep import (
    ThreadkeepAsyncChatStore,
    ThreadkeepChatStore,
    ThreadkeepMemory,
)
from tests.integrations.llama_index.conftest import call

EXAMPLES = int(os.environ.get("THREADKEEP_TEST_EXAMPLES", "100"))
FEW = settings(max_examples=EXAMPLES)
MANY = settings(max_examples=3_000)
KEYS = st.sampled_from(["a", "b", "A", "ü/%"])
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["word " * 30, "q", ""]
)
COUNTS = st.integers(0, 4)


def text_message(role, text):
    return ChatMessage(role=role, content=text)


def extra_message(text, extra):
    return ChatMessage(role="assistant", content=text, additional_kwargs={"extra": extra})


def block_message(texts, is_thinking):
    blocks: list[Any] = [TextBlock(text=text) for text in texts]
    if is_thinking:
        blocks.insert(0, ThinkingBlock(content="hm"))
    return ChatMessage(role="assistant", blocks=blocks)


def tool_step(id):
    result = ChatMessage(role="tool", content="21", additional_kwargs={"tool_call_id": id})
    return [ChatMessage(role="assistant", blocks=[call(id)]), result]


PLAIN = st.builds(text_message, st.sampled_from(["user", "assistant", "system"]), TEXTS)
IMAGES = st.just(ChatMessage(role="user", blocks=[ImageBlock(url="https://example.org/a.png")]))
JSON = st.none() | st.booleans() | st.integers(-9, 9) | TEXTS | st.just({"n": [1.5, None]})
EXTRAS = st.builds(extra_message, TEXTS, JSON)
BLOCKS = st.builds(block_message, st.lists(TEXTS, max_size=2), st.booleans())
STEPS = st.sampled_from(["c1", "c2", "c1"]).map(tool_step)
SINGLES = PLAIN | EXTRAS | BLOCKS | IMAGES
BATCHES = st.lists(SINGLES.map(lambda message: [message]) | STEPS, max_size=3).map(
    lambda parts: [message for part in parts for message in part]
)


def copies(messages):
    return [message.model_copy(deep=True) for message in messages]


class ChatStores:
    """Each call is made on LlamaIndex's `SimpleChatStore` and on ours."""

    def __init__(self, memory):
        self.theirs, self.ours = SimpleChatStore(), ThreadkeepChatStore(memory)

    def run(self, name, key, argument):
        getattr(self, name)(key, argument)
        assert self.ours.get_messages(key) == self.theirs.get_messages(key)
        self.assert_same_keys()

    def assert_same_keys(self):
        """`empty keys`: ours may leave out a key that is there without messages."""
        theirs = set(self.theirs.get_keys())
        filled = {key for key in theirs if self.theirs.get_messages(key)}
        assert filled <= set(self.ours.get_keys()) <= theirs

    def add(self, key, argument):
        messages, position = argument
        for message in messages:
            for store in (self.theirs, self.ours):
                store.add_message(key, message.model_copy(deep=True), position)

    def set(self, key, argument):
        for store in (self.theirs, self.ours):
            store.set_messages(key, copies(argument[0]))

    def delete_all(self, key, argument):
        """`empty keys`: theirs answers `[]` for a key that is there without messages."""
        assert self.ours.delete_messages(key) == (self.theirs.delete_messages(key) or None)

    def delete_at(self, key, argument):
        """`negative positions`: theirs counts them from the end, and may raise."""
        position = argument[1] or 0
        if position < 0:
            assert self.ours.delete_message(key, position) is None
            return
        assert self.ours.delete_message(key, position) == self.theirs.delete_message(key, position)

    def pop(self, key, argument):
        """`empty keys`: theirs raises for a key that is there without messages."""
        theirs = self.theirs.delete_last_message(key) if self.theirs.get_messages(key) else None
        assert self.ours.delete_last_message(key) == theirs


STORE_CALLS = st.tuples(
    st.sampled_from(["add", "add", "add", "set", "delete_all", "delete_at", "pop"]),
    KEYS,
    st.tuples(BATCHES, st.none() | st.integers(-2, 5)),
)


def check_chat_store(program):
    with threadkeep.connect("memory://") as memory:
        stores = ChatStores(memory)
        for name, key, argument in program:
            stores.run(name, key, argument)


@FEW
@given(st.lists(STORE_CALLS, max_size=10))
def test_chat_store_answers_as_simple_chat_store(program):
    check_chat_store(program)


@pytest.mark.soak
@MANY
@given(st.lists(STORE_CALLS, max_size=30))
def test_chat_store_answers_as_simple_chat_store_in_many_programs(program):
    check_chat_store(program)


BUFFER_CALLS = st.tuples(
    st.sampled_from(["put", "put", "put", "put_messages", "set", "reset"]), BATCHES
)


def change(memory, name, messages):
    if name == "put":
        for message in copies(messages):
            memory.put(message)
    elif name == "reset":
        memory.reset()
    else:
        getattr(memory, name)(copies(messages))


def check_buffer(program, limit, spent):
    """The very same buffer, on either store."""
    options: dict[str, Any] = {"token_limit": limit, "tokenizer_fn": str.split}
    with threadkeep.connect("memory://") as memory:
        theirs = ChatMemoryBuffer.from_defaults(**options)
        store = ThreadkeepChatStore(memory)
        ours = ChatMemoryBuffer.from_defaults(chat_store=store, **options)
        for name, messages in program:
            for buffer in (theirs, ours):
                change(buffer, name, messages)
            assert ours.get(initial_token_count=spent) == theirs.get(initial_token_count=spent)
            assert ours.get_all() == theirs.get_all()


@FEW
@given(st.lists(BUFFER_CALLS, max_size=10), st.integers(10, 120), st.integers(0, 10))
def test_chat_memory_buffer_answers_the_same_on_our_store(program, limit, spent):
    check_buffer(program, limit, spent)


@pytest.mark.soak
@MANY
@given(st.lists(BUFFER_CALLS, max_size=30), st.integers(10, 120), st.integers(0, 10))
def test_chat_memory_buffer_answers_the_same_in_many_programs(program, limit, spent):
    check_buffer(program, limit, spent)


def check_memory_beside_buffer(program, spent):
    """`ThreadkeepMemory` where all fits: what LlamaIndex's buffer answers."""
    options: dict[str, Any] = {"token_limit": 10**6, "tokenizer_fn": str.split}
    with threadkeep.connect("memory://") as memory:
        theirs = ChatMemoryBuffer.from_defaults(**options)
        ours = ThreadkeepMemory("chat", memory, on_set="replace", inject=False, **options)
        for name, messages in program:
            for side in (theirs, ours):
                change(side, name, messages)
            assert ours.get_all() == theirs.get_all()
            assert shown(ours.get(initial_token_count=spent)) == shown(theirs.get())


def shown(messages):
    """`orphan results`: a result whose call is not there is stored, but no model gets it."""
    return [message for message in messages if message.role != "tool"]


@FEW
@given(st.lists(BUFFER_CALLS, max_size=8), st.integers(0, 10))
def test_threadkeep_memory_answers_as_chat_memory_buffer_where_all_fits(program, spent):
    check_memory_beside_buffer(program, spent)


@pytest.mark.soak
@MANY
@given(st.lists(BUFFER_CALLS, max_size=30), st.integers(0, 10))
def test_threadkeep_memory_answers_as_chat_memory_buffer_in_many_programs(program, spent):
    check_memory_beside_buffer(program, spent)


ASYNC_CALLS = st.tuples(
    st.sampled_from(
        ["aput", "aput", "aput", "aput_messages", "aset", "areset", "archive", "oldest", "aside"]
    ),
    st.lists(SINGLES, min_size=1, max_size=3),
    st.sampled_from([None, MessageStatus.ACTIVE, MessageStatus.ARCHIVED]),
)


async def change_async(memory, name, messages, status):
    store, key = memory.sql_store, memory.session_id
    if name == "aput":
        for message in copies(messages):
            await memory.aput(message)
    elif name == "areset":
        await memory.areset(status)
    elif name == "archive":
        return await store.archive_oldest_messages(key, len(messages))
    elif name == "aside":
        await store.add_messages(key, copies(messages), status or MessageStatus.ACTIVE)
    elif name == "oldest":
        return await store.delete_oldest_messages(key, len(messages))
    else:
        await getattr(memory, name)(copies(messages))
    return None


async def answers(memory):
    store, key = memory.sql_store, memory.session_id
    by_status = [await memory.aget_all(status) for status in (None, *MessageStatus)]
    page = await store.get_messages(key, None, limit=2, offset=1)
    return [await memory.aget(), *by_status, page, await store.count_messages(key)]


async def check_memory(program, limit, store):
    options: dict[str, Any] = {
        "session_id": "chat",
        "token_limit": limit,
        "token_flush_size": max(1, limit // 5),
        "tokenizer_fn": str.split,
    }
    engine = create_async_engine("sqlite+aiosqlite://")
    sql_store = SQLAlchemyChatStore(table_name="chats", async_engine=engine)
    theirs = Memory.from_defaults(chat_store=sql_store, **options)
    ours = Memory.from_defaults(chat_store=store, **options)
    try:
        for name, messages, status in program:
            changed = [await change_async(m, name, messages, status) for m in (theirs, ours)]
            assert changed[1] == changed[0]
            assert await answers(ours) == await answers(theirs)
            assert set(await sql_store.get_keys()) <= set(await store.get_keys())  # `empty keys`
    finally:
        await engine.dispose()


def run_memory(program, limit):
    with threadkeep.connect("memory://") as memory:
        asyncio.run(check_memory(program, limit, ThreadkeepAsyncChatStore(memory)))


@settings(FEW, max_examples=max(1, EXAMPLES // 4))
@given(st.lists(ASYNC_CALLS, max_size=6), st.integers(10, 120))
def test_memory_answers_the_same_on_our_store_as_on_its_own(program, limit):
    run_memory(program, limit)


@pytest.mark.soak
@MANY
@given(st.lists(ASYNC_CALLS, max_size=20), st.integers(10, 120))
def test_memory_answers_the_same_in_many_programs(program, limit):
    run_memory(program, limit)
