"""Ids that messages bring along: in no adapter does an item take the place of another."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.graph import START, MessagesState, StateGraph
from llama_index.core.base.llms.types import ChatMessage

from langchain_threadkeep import ThreadkeepChatMessageHistory, save_history_node
from llama_index.memory.threadkeep import ThreadkeepChatStore, ThreadkeepMemory
from openai_agents_threadkeep import ThreadkeepSession
from tests.window.looking import many, valid
from threadkeep import connect

pytestmark = pytest.mark.proves("C1")

KINDS = {
    "human": lambda id, text: HumanMessage(text, id=id),
    "ai": lambda id, text: AIMessage(text, id=id),
    "calls": lambda id, text: AIMessage(
        text, id=id, tool_calls=[{"name": "f", "args": {}, "id": "c"}]
    ),
    "tool": lambda id, text: ToolMessage(text, id=id, tool_call_id="c"),
    "system": lambda id, text: SystemMessage(text, id=id),
}
said = st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from(["a", "b", None]))
batches = st.lists(st.lists(said, min_size=1, max_size=4), min_size=1, max_size=5)


def messages(batch, number):
    return [KINDS[kind](id, f"{number}.{n}") for n, (kind, id) in enumerate(batch)]


def unchanged(before, after):
    """Whether nothing is gone, and each item is still of its role and type."""
    kinds = {item.id: (item.role, item.type) for item in after}
    return all(kinds.get(item.id) == (item.role, item.type) for item in before)


@many
@given(batches)
def test_a_history_of_langchain_keeps_every_item_what_it_is(story):
    with connect("memory://") as memory:
        chat = memory.session("t")
        for number, batch in enumerate(story):
            before = chat.items()
            ThreadkeepChatMessageHistory("t", memory).add_messages(messages(batch, number))
            assert unchanged(before, chat.items())
            if window := chat.window():
                valid(window)


@many
@given(batches)
def test_a_graph_that_replaces_messages_loses_none(story):
    with connect("memory://") as memory:
        chat = memory.session("t")
        graph = StateGraph(MessagesState).add_node("save", save_history_node(memory))
        run = graph.add_edge(START, "save").compile()
        for number, batch in enumerate(story):
            before = chat.items()
            config: Any = {"configurable": {"thread_id": "t"}}
            state: Any = {"messages": messages(batch, number)}
            run.invoke(state, config)
            assert unchanged(before, chat.items())


ENTRIES = [
    {"role": "user", "content": "q"},
    {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "content": [
        {"type": "output_text", "text": "answer", "annotations": []}]},
    {"type": "reasoning", "id": "msg_1", "summary": []},
    {"type": "item_reference", "id": "msg_1"},
    {"type": "function_call", "id": "msg_1", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "id": "msg_1", "call_id": "c", "output": "r"},
]  # fmt: skip


@many
@given(st.lists(st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=4), max_size=4))
def test_the_agents_sdk_gets_back_what_it_added(story):
    with connect("memory://") as memory:
        session: Any = ThreadkeepSession("s", memory)
        expected: list[Any] = []
        for batch in story:
            asyncio.run(session.add_items([dict(entry) for entry in batch]))
            expected += batch
        assert [item.type for item in memory.session("s").items()] == [
            entry.get("type", "message") for entry in expected
        ]


def test_llama_index_sets_and_puts_without_ids():
    told = [ChatMessage(role=role, content="same") for role in ("user", "assistant", "user")]
    with connect("memory://") as memory:
        store = ThreadkeepChatStore(memory)
        for number in range(1, 3):
            store.set_messages("s", told * number)
            store.add_message("s", told[0])
            store.add_message("s", told[1], idx=0)
            assert len(store.get_messages("s")) == 3 * number + 2
        made = ThreadkeepMemory.from_defaults(memory=memory, session_id="m")
        made.put_messages(told)
        made.put(told[0])
        assert made.get_all() == [*told, told[0]]
