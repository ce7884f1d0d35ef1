"""Random runs of graphs with interrupted subgraphs, beside LangGraph's own checkpointer."""

from __future__ import annotations

import os
import random
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, Send, interrupt

from langchain_threadkeep import ThreadkeepSaver
from tests.integrations.langchain.saver.conftest import config
from tests.integrations.langchain.saver.programs import Pair, plain, same, snapshot
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend

SEEDS = range(4)
SOAK = int(os.environ.get("THREADKEEP_SOAK_PROGRAMS", "1000"))


class Inner(TypedDict):
    messages: Annotated[list, add_messages]
    number: int


def said(prefix, state):
    return {"messages": [AIMessage(prefix, id=f"{prefix}-{len(state['messages'])}")]}


def nested(saver, persistent=None):
    """Two levels of subgraphs that ask, beside another node; names are not ASCII."""
    deep: Any = StateGraph(Inner)
    deep.add_node("ask", lambda state: said(f"deep {interrupt(state['messages'][-1:])}", state))
    deep.add_node("count", lambda state: {"number": (state.get("number") or 0) + 1})
    deep.add_edge(START, "ask")
    deep.add_edge("ask", "count")
    middle: Any = StateGraph(Inner)
    middle.add_node("ask", lambda state: said(f"middle {interrupt('sure?')}", state))
    middle.add_node("größe", deep.compile())
    middle.add_edge(START, "ask")
    middle.add_edge("ask", "größe")
    outer: Any = StateGraph(Inner)
    outer.add_node("süd", middle.compile(checkpointer=persistent))
    outer.add_node("other", lambda state: said("other", state))
    outer.add_node("end", lambda state: {"number": (state.get("number") or 0) + 10})
    outer.add_edge(START, "süd")
    outer.add_edge(START, "other")
    outer.add_edge(["süd", "other"], "end")
    return outer.compile(checkpointer=saver)


def persistent(saver):
    """The same with a subgraph that remembers its earlier runs."""
    return nested(saver, persistent=True)


def parallel(saver):
    """Three runs of one subgraph at once, each of which asks."""
    inner: Any = StateGraph(Inner)
    inner.add_node("ask", lambda state: said(f"{interrupt(state['number'])}", state))
    inner.add_edge(START, "ask")
    outer: Any = StateGraph(MessagesState)
    outer.add_node("worker", inner.compile())
    outer.add_node("fan", lambda state: {})
    outer.add_edge(START, "fan")
    outer.add_conditional_edges("fan", jobs, ["worker"])
    return outer.compile(checkpointer=saver)


def jobs(state):
    return [Send("worker", {"messages": state["messages"], "number": n}) for n in range(3)]


class Runs:
    """Random runs of a graph; the same for the same seed."""

    def __init__(self, make, seed):
        self._make, self._random = make, random.Random(seed)
        self._backend, self._memories = MemoryBackend(), []
        self.theirs = InMemorySaver()
        self.ours = [self.new_saver() for _ in range(2)]

    def new_saver(self):
        """A checkpointer of a process that knows nothing."""
        self._memories.append(connect(self._backend))
        return ThreadkeepSaver(self._memories[-1], on_conflict="last")

    def step(self, number):
        """Answer some of the questions, replay, or ask anew; then compare what is."""
        ours = self._random.choice([*self.ours, self.new_saver()])
        graph = self._make(Pair(self.theirs, ours))
        ids = [each.id for each in self._make(self.theirs).get_state(config()).interrupts]
        how: Any = {"durability": self._random.choice(["sync", "async", "exit"])}
        choice = self._random.random()
        if ids and choice < 0.7:
            some = self._random.sample(ids, self._random.randint(1, len(ids)))
            answers = dict.fromkeys(some, f"reply {number}")
            graph.invoke(Command(resume=answers), config(), **how)
        elif ids and choice < 0.85:
            history = list(self._make(self.theirs).get_state_history(config()))
            graph.invoke(None, self._random.choice(history).config, **how)
        else:
            message = HumanMessage(f"question {number}", id=f"q{number}")
            graph.invoke({"messages": [message]}, config(), **how)

    def compare(self):
        """Compare the nested states, and all checkpoints of all namespaces."""
        theirs = sorted(map(plain, self.theirs.list(config())), key=str)
        for ours in (*self.ours, self.new_saver()):
            same(self._nested(ours), self._nested(self.theirs))
            same(sorted(map(plain, ours.list(config())), key=str), theirs)

    def _nested(self, saver):
        def walk(state):
            inner = [walk(t.state) for t in state.tasks if hasattr(t.state, "values")]
            return [snapshot(state)[:2], inner]

        return walk(self._make(saver).get_state(config(), subgraphs=True))

    def close(self):
        for memory in self._memories:
            memory.close()


def run(make, seed):
    runs = Runs(make, seed)
    try:
        for number in range(8):
            runs.step(number)
        runs.compare()
    finally:
        runs.close()


@pytest.mark.parametrize("make", [nested, persistent, parallel])
@pytest.mark.parametrize("seed", SEEDS)
def test_interrupted_subgraphs_are_as_with_in_memory_saver(make, seed):
    run(make, seed)


@pytest.mark.soak
@pytest.mark.parametrize("make", [nested, persistent, parallel])
def test_interrupted_subgraphs_are_equal_in_a_thousand_runs(make):
    for seed in range(SOAK):
        run(make, 1_000 + seed)
