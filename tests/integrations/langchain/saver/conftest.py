"""A chat graph on ThreadkeepSaver, and what looks into the store."""

from __future__ import annotations

import itertools

import pytest
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph

from tests.embedded import backend, clock, memory, opened
from threadkeep import Query
from threadkeep.types.record_kinds import KINDS

__all__ = ["backend", "clock", "memory", "opened"]


@pytest.fixture
def chat_graph():
    """`chat_graph(saver, node=, schema=)`: one node, which answers `answer 1` and so on."""
    numbers = itertools.count(1)

    def answer(state):
        number = next(numbers)
        return {"messages": [AIMessage(f"answer {number}", id=f"a{number}")]}

    def make(saver, node=answer, schema=MessagesState):
        builder = StateGraph(schema)
        builder.add_node("answer", node)
        builder.add_edge(START, "answer")
        builder.add_edge("answer", END)
        return builder.compile(checkpointer=saver)

    return make


@pytest.fixture
def stored():
    """`stored(memory)`: all records in the store, by stream."""

    def read(memory):
        engine = memory._engine
        names = engine.streams("default/", cursor=None, limit=1_000)[0]
        found = {}
        for name in names:
            pages = engine.read(*(Query(name, kind) for kind in KINDS))
            found[name] = [record for page in pages for record in page.records]
        return {name: records for name, records in found.items() if records}

    return read


def config(thread="t", **more):
    """The config of a thread."""
    return {"configurable": {"thread_id": thread, **more}}
