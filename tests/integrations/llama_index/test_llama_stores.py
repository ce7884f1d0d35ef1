"""The two chat stores: by their verbs, and under LlamaIndex's own memories."""

from __future__ import annotations

import asyncio

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import Field
from llama_index.core.memory import (
    BaseMemoryBlock,
    ChatMemoryBuffer,
    ChatSummaryMemoryBuffer,
    Memory,
)
from llama_index.core.memory.memory import InsertMethod
from llama_index.core.storage.chat_store.base_db import MessageStatus

from llama_index.memory.threadkeep import ThreadkeepAsyncChatStore, ThreadkeepChatStore
from tests.integrations.llama_index.conftest import settled

ACTIVE, ARCHIVED = MessageStatus.ACTIVE, MessageStatus.ARCHIVED


def users(*texts):
    return [ChatMessage(role="user", content=text) for text in texts]


def words(messages):
    return [message.content for message in messages]


@pytest.fixture
def store(memory):
    return ThreadkeepChatStore(memory=memory)


@pytest.fixture
def active(memory):
    return ThreadkeepAsyncChatStore(memory=memory)


SYNC = {
    "set": "set_messages",
    "get": "get_messages",
    "add": "add_message",
    "delete_all": "delete_messages",
    "delete": "delete_message",
    "pop": "delete_last_message",
    "keys": "get_keys",
}
ASYNC = {name: f"a{verb}" for name, verb in SYNC.items()} | {"add": "async_add_message"}


@pytest.mark.parametrize("verbs", [SYNC, ASYNC], ids=["sync", "async"])
class TestChatStore:
    def test_every_verb(self, store, verbs):
        def do(name, *args):
            return asyncio.run(settled(getattr(store, verbs[name])(*args)))

        assert do("get", "a") == []
        assert do("delete_all", "a") is None
        assert do("pop", "a") is None
        for text in "012":
            do("add", "a", users(text)[0])
        do("add", "a", users("between")[0], 1)
        assert words(do("get", "a")) == ["0", "between", "1", "2"]
        assert do("delete", "a", 1).content == "between"
        assert [do("delete", "a", idx) for idx in (3, 99, -1, -2)] == [None] * 4
        assert do("pop", "a").content == "2"
        assert words(do("get", "a")) == ["0", "1"]
        do("set", "b", users("x"))
        do("set", "b", users("y", "z"))
        assert words(do("get", "b")) == ["y", "z"]
        assert sorted(do("keys")) == ["a", "b"]
        assert words(do("delete_all", "b")) == ["y", "z"]
        assert do("keys") == ["a"]


def test_is_never_falsy_and_returns_no_live_list(store):
    assert bool(store)
    store.add_message("a", users("x")[0])
    store.get_messages("a").clear()
    store.get_messages("a")[0].blocks.clear()
    assert words(store.get_messages("a")) == ["x"]


def test_the_keys_of_a_user_are_theirs_alone(memory):
    ThreadkeepChatStore(memory=memory, user="ada").add_message("a", users("x")[0])
    ThreadkeepChatStore(memory=memory, user="bob").add_message("b", users("x")[0])
    assert ThreadkeepChatStore(memory=memory, user="ada").get_keys() == ["a"]


def test_a_buffer_keeps_its_history_in_the_store(store):
    buffer = ChatMemoryBuffer.from_defaults(chat_store=store, chat_store_key="chat")
    buffer.put(users("a")[0])
    asyncio.run(buffer.aput(users("b")[0]))
    again = ChatMemoryBuffer.from_defaults(chat_store=store, chat_store_key="chat")
    assert words(again.get()) == ["a", "b"]


def test_a_summary_buffer_works_on_the_store(store):
    buffer = ChatSummaryMemoryBuffer.from_defaults(
        chat_store=store, chat_store_key="chat", token_limit=1_000
    )
    buffer.put(users("a")[0])
    assert words(buffer.get()) == ["a"]
    assert words(store.get_messages("chat")) == ["a"]


class TestAsyncStore:
    def test_every_verb(self, active):
        async def story():
            assert await active.get_messages("a") == []
            assert await active.archive_oldest_messages("a", 2) == []
            await active.add_messages("a", [])
            await active.add_messages("a", users(*"012345"))
            await active.add_message("a", users("6")[0])
            assert words(await active.get_messages("a", limit=2)) == ["0", "1"]
            assert words(await active.get_messages("a", limit=2, offset=3)) == ["3", "4"]
            assert words(await active.archive_oldest_messages("a", 2)) == ["0", "1"]
            assert words(await active.delete_oldest_messages("a", 1)) == ["2"]
            assert words(await active.get_messages("a")) == list("3456")
            assert words(await active.get_messages("a", status=ARCHIVED))[:2] == ["0", "1"]
            assert await active.count_messages("a") == 4
            assert (await active.delete_message("a", 1)).content == "4"
            assert await active.delete_message("a", 9) is None
            assert await active.delete_message("a", -1) is None
            await active.add_message("a", users("put aside")[0], status=ARCHIVED)
            assert words(await active.get_messages("a")) == list("356")
            assert "put aside" in words(await active.get_messages("a", status=None))
            await active.delete_messages("a", status=ARCHIVED)
            assert words(await active.get_messages("a", status=None)) == list("356")
            await active.set_messages("a", users("x"))
            assert words(await active.get_messages("a")) == ["x"]
            assert await active.get_keys() == ["a"]
            await active.delete_messages("a")
            assert await active.get_keys() == []

        asyncio.run(story())

    def test_archiving_at_once_gives_each_message_to_one_caller(self, memory):
        async def story():
            stores = [ThreadkeepAsyncChatStore(memory=memory) for _ in range(4)]
            await stores[0].add_messages("a", users(*map(str, range(40))))
            taken = await asyncio.gather(*(s.archive_oldest_messages("a", 10) for s in stores))
            assert sorted(int(w) for batch in taken for w in words(batch)) == list(range(40))

        asyncio.run(story())


class Noting(BaseMemoryBlock[str]):
    """A block that notes what it is given."""

    name: str = "noting"
    seen: list = Field(default_factory=list)

    async def _aget(self, messages=None, **_):
        return "noted"

    async def _aput(self, messages):
        self.seen.extend(words(messages))


class TestUnderMemory:
    def test_it_is_used_though_empty_and_keeps_the_history(self, memory):
        async def story():
            store = ThreadkeepAsyncChatStore(memory=memory)
            kept = Memory.from_defaults(session_id="chat", chat_store=store)
            await kept.aput(users("a")[0])
            await kept.aput_messages(users("b"))
            again = Memory.from_defaults(session_id="chat", chat_store=store)
            assert words(await again.aget()) == ["a", "b"]

        asyncio.run(story())
        assert [item.text for item in memory.session("chat").items()] == ["a", "b"]

    def test_sync_verbs_open_a_loop_each(self, memory):
        kept = Memory.from_defaults(
            session_id="chat", chat_store=ThreadkeepAsyncChatStore(memory=memory)
        )
        for text in "abc":
            kept.put(users(text)[0])
        assert words(kept.get()) == ["a", "b", "c"]

    def test_what_leaves_the_short_term_reaches_a_block_once(self, memory):
        async def story():
            block = Noting()
            kept = [
                Memory.from_defaults(
                    session_id="chat",
                    chat_store=ThreadkeepAsyncChatStore(memory=memory),
                    memory_blocks=[block],
                    token_limit=60,
                    token_flush_size=20,
                    tokenizer_fn=str.split,
                )
                for _ in range(2)
            ]
            for number in range(40):
                await kept[number % 2].aput(users(f"m{number} " + "word " * 5)[0])
                await kept[number % 2].aput(ChatMessage(role="assistant", content="ok ok ok"))
            archived = await kept[0].sql_store.get_messages("chat", status=ARCHIVED)
            assert block.seen == words(archived)
            assert len(block.seen) > 20

        asyncio.run(story())
        assert len(memory.session("chat").items()) == 80

    def test_an_inserted_block_does_not_grow_the_stored_messages(self, memory):
        async def story():
            kept = Memory.from_defaults(
                session_id="chat",
                chat_store=ThreadkeepAsyncChatStore(memory=memory),
                memory_blocks=[Noting()],
                insert_method=InsertMethod.USER,
            )
            await kept.aput(users("a")[0])
            sizes = {len((await kept.aget())[-1].blocks) for _ in range(4)}
            assert len(sizes) == 1

        asyncio.run(story())
