"""Others delete and prune between the round trips of a read: it shows the state before or after."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages

from langchain_threadkeep import ThreadkeepSaver
from tests.engine.doubles import Wrapper
from tests.integrations.langchain.saver.conftest import config
from tests.integrations.langchain.saver.programs import plain
from threadkeep import Drop, Query, connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import CorruptRecord
from threadkeep.sessions import checkpoints
from threadkeep.types import KEEP


class Interrupted(Wrapper):
    """Does something before one of the next round trips."""

    def __init__(self, inner):
        super().__init__(inner)
        self.countdown, self.work = -1, None

    def before(self, trip, work):
        self.countdown, self.work = trip, work

    def read(self, *queries, now):
        if self.countdown == 0:
            self.countdown = -1
            self.work()
        self.countdown -= 1
        return super().read(*queries, now=now)


class State(TypedDict):
    messages: Annotated[list, add_messages]
    log: Annotated[list, operator.add]
    notes: Any


def graph(saver):
    def answer(state):
        number = len(state["messages"])
        text = f"note {number} " * 500  # large enough to be a value of its own
        return {"messages": [AIMessage("a", id=f"a{number}")], "log": [{"n": number}] * 9,
                "notes": {"text": text}}  # fmt: skip

    builder = StateGraph(State)
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    return builder.compile(checkpointer=saver)


def say(saver, number):
    message = HumanMessage(f"question {number}", id=f"q{number}")
    graph(saver).invoke({"messages": [message]}, config(), durability="sync")


def fill(saver):
    for number in range(4):
        say(saver, number)
    edited = {"messages": [HumanMessage("edited", id="q1")], "log": []}
    graph(saver).update_state(config(), edited, as_node="answer")


CHANGES = {
    "prune": lambda saver: saver.prune(["t"]),
    "delete": lambda saver: saver.delete_thread("t"),
    "go on and prune": lambda saver: (say(saver, 9), saver.prune(["t"])),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("trip", range(6))
def test_read_shows_one_state_of_the_thread(change, trip):
    backend = MemoryBackend()
    torn = Interrupted(backend)
    with connect(backend) as memory, connect(torn) as reading:
        writer, reader = ThreadkeepSaver(memory), ThreadkeepSaver(reading)
        fill(writer)
        old = [saved.config for saved in writer.list(config())][5]
        before = plain(writer.get_tuple(config())), plain(writer.get_tuple(old))
        torn.before(trip, lambda: CHANGES[change](writer))
        newest = plain(reader.get_tuple(config()))
        assert newest in (before[0], plain(writer.get_tuple(config())))
    backend = MemoryBackend()
    torn = Interrupted(backend)
    with connect(backend) as memory, connect(torn) as reading:
        writer, reader = ThreadkeepSaver(memory), ThreadkeepSaver(reading)
        fill(writer)
        old = [saved.config for saved in writer.list(config())][5]
        expected = plain(writer.get_tuple(old))
        torn.before(trip, lambda: CHANGES[change](writer))
        assert plain(reader.get_tuple(old)) in (expected, None)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("trip", range(1, 6))
def test_list_shows_no_half_checkpoint(change, trip):
    backend = MemoryBackend()
    torn = Interrupted(backend)
    with connect(backend) as memory, connect(torn) as reading:
        writer, reader = ThreadkeepSaver(memory), ThreadkeepSaver(reading)
        fill(writer)
        whole = [plain(saved) for saved in writer.list(config())]
        torn.before(trip, lambda: CHANGES[change](writer))
        found = [plain(saved) for saved in reader.list(config())]
        whole += [plain(saved) for saved in writer.list(config())]
    assert all(saved in whole for saved in found)


@pytest.mark.parametrize("kind", ["run", "value"])
def test_lost_part_of_a_value_is_counted_and_the_thread_goes_on(kind, clock):
    with connect("memory://", clock=clock) as memory:
        fill(ThreadkeepSaver(memory))
        stream = checkpoints.stream(memory._engine, "t", "")
        memory._engine.commit(stream, drop=[Drop(kind)], ttl=KEEP)
        saver = ThreadkeepSaver(memory)
        assert saver.get_tuple(config()).metadata["threadkeep_missing"] > 0
        say(saver, 8)
        say(saver, 9)
        state = graph(ThreadkeepSaver(memory)).get_state(config())
        said = [message.text for message in state.values["messages"]]
        assert said[-4:] == ["question 8", "a", "question 9", "a"]
        assert "threadkeep_missing" not in state.metadata


@pytest.mark.parametrize("body", ["", "{", "5", "null"])
@pytest.mark.parametrize("kind", ["run", "value", "element", "write", "checkpoint", "thread"])
def test_damaged_record_is_counted_or_named(kind, body):
    with connect("memory://") as memory:
        fill(ThreadkeepSaver(memory))
        stream = checkpoints.stream(memory._engine, "t", "")
        records = memory._engine.read(Query(stream, kind))[0].records
        damaged = [replace(record, body=body) for record in records]
        memory._engine.commit(stream, put=damaged, ttl=KEEP)
        saver = ThreadkeepSaver(memory)
        if kind in ("write", "checkpoint", "thread"):
            with pytest.raises(CorruptRecord, match=f"the {kind} record"):
                list(saver.list(config()))
        else:  # instead of an element, which is an earlier version here, the item's text is taken
            missing = any("threadkeep_missing" in saved.metadata for saved in saver.list(config()))
            assert missing == (kind != "element")
        saver.delete_thread("t", keep_session=True)
        assert saver.get_tuple(config()) is None
