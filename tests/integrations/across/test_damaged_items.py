"""Items and entries of another shape than their format says: adapters read what is neutral."""

from __future__ import annotations

import asyncio
import json
import random

import pytest

from agent_framework_threadkeep import ThreadkeepHistoryProvider
from google_adk_threadkeep.codec import to_events
from langchain_threadkeep import ThreadkeepChatMessageHistory, ThreadkeepStore
from llama_index.memory.threadkeep import ThreadkeepChatStore, ThreadkeepMemory
from openai_agents_threadkeep import ThreadkeepSession
from threadkeep import Memory, Query, Record, connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.testing.damage.changes import WRONG_VALUES, changed_bodies
from threadkeep.types import KEEP

FORMATS = [
    "agent-framework/1",
    "google-adk/1",
    "anthropic/1",
    "langchain/1",
    "llama-index/1",
    "openai-agents/1",
    "openai-chat/1",
    "openai-responses/1",
]
ITEMS: list[dict[str, object]] = [
    {"role": "user", "content": "hello"},
    {"role": "assistant", "content": "x"},
    {"role": "tool", "type": "tool_result", "tool_call_id": "c", "content": "42"},
    {
        "role": "assistant",
        "type": "reasoning",
        "content": [{"type": "reasoning", "reasoning": "r"}],
    },
    {
        "role": "assistant",
        "type": "function_call",
        "content": "",
        "tool_calls": [{"id": "c", "name": "f", "args": {}}],
    },
]
PAYLOADS = [
    *(value for value in WRONG_VALUES if not (isinstance(value, str) and value[:1] == "<")),
    {"id": 5},
    {"type": 5},
    {"type": "human", "id": ["x"]},
    {"additional_kwargs": [1]},
    {"blocks": 5},
    {"blocks": [1]},
    {"content": 5},
    {"role": 5},
    {"type": "message", "content": [5]},
]


def windows(memory):
    window = memory.session("c").window()
    return window.to_openai(), window.to_responses(), window.to_anthropic()


READERS = {
    "agent framework": lambda m: asyncio.run(
        ThreadkeepHistoryProvider(m, user="ada").get_messages("c")
    ),
    "adk": lambda m: to_events(m.session("c", user="ada").items()),
    "window": windows,
    "langchain": lambda m: ThreadkeepChatMessageHistory("c", m, user="ada").messages,
    "agents": lambda m: asyncio.run(ThreadkeepSession("c", m, user="ada").get_items()),
    "llama-index store": lambda m: ThreadkeepChatStore(memory=m).get_messages("c"),
    "llama-index memory": lambda m: ThreadkeepMemory.from_defaults(
        memory=m, session_id="c", user_id="ada"
    ).get(),
}


def with_item(body: dict[str, object]) -> Memory:
    backend = MemoryBackend()
    connect(backend).session("c", user="ada").add("first")
    record = Record("item", "z", json.dumps(body), 1.0)
    connect(backend)._engine.commit("default/session/c", put=[record], ttl=KEEP)
    return connect(backend)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("reader", READERS)
def test_a_raw_payload_of_another_shape_stops_no_reader(format, reader):
    rng = random.Random(f"{format} {reader}")
    for payload in rng.sample(PAYLOADS, 6):
        for item in rng.sample(ITEMS, 2):
            with with_item({**item, "raw": {"format": format, "data": payload}}) as memory:
                assert READERS[reader](memory) is not None


def test_a_damaged_entry_of_a_store_hides_no_other():
    backend = MemoryBackend()
    store = ThreadkeepStore(connect(backend))
    for key in ("good", "bad"):
        store.put(("ada", "notes"), key, {"a": key}, ttl=5)
    (stream,), _ = backend.streams("default/store")
    memory = connect(backend)
    (page,) = backend.read(Query(stream, "entry", ids=["bad"]), now=memory._engine.now())
    (bad,) = page.records
    for _, text in random.Random(3).sample(list(changed_bodies(bad.body)), 60):
        changed = Record("entry", "bad", text, bad.at, bad.expires)
        backend.commit(stream, put=[changed], ttl=KEEP, now=memory._engine.now())
        store = ThreadkeepStore(connect(backend))
        assert value_of(store, "good") == {"a": "good"}
        store.get(("ada", "notes"), "bad", refresh_ttl=True)
        assert "good" in [item.key for item in store.search(("ada",), refresh_ttl=True)]
        assert ("ada", "notes") in store.list_namespaces()
    store.put(("ada", "notes"), "bad", {"a": "mended"})
    assert value_of(store, "bad") == {"a": "mended"}


def value_of(store, key):
    entry = store.get(("ada", "notes"), key)
    return None if entry is None else entry.value
