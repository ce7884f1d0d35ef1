"""What `threadkeep doctor` and `repair` say of checkpoints, and what they mend."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph

from langchain_threadkeep import ThreadkeepSaver
from tests.cli.conftest import cli
from tests.integrations.langchain.saver.conftest import config
from threadkeep import Drop, Query, connect
from threadkeep.cli.doctor_checkpoints import checkpoints_check
from threadkeep.longterm.repair import store_findings
from threadkeep.longterm.repair.problem import GRACE
from threadkeep.sessions import checkpoint_counts, checkpoints
from threadkeep.types import KEEP

__all__ = ["cli"]

OLD = GRACE + 1


def say(graph, thread, **how):
    graph.invoke({"messages": [("user", "hello")]}, config(thread), durability="sync", **how)


@pytest.fixture
def nested():
    """A graph with a subgraph, so that a thread has two namespaces."""
    inner = StateGraph(MessagesState)
    inner.add_node("inner", lambda state: {"messages": [AIMessage("inner")]})
    inner.add_edge(START, "inner")
    compiled = inner.compile(checkpointer=True)

    def make(saver):
        builder = StateGraph(MessagesState)
        builder.add_node("outer", compiled)
        builder.add_edge(START, "outer")
        return builder.compile(checkpointer=saver)

    return make


def findings(memory):
    return list(store_findings(memory._engine))


def commit(memory, thread, namespace, *kinds):
    stream = checkpoints.stream(memory._engine, thread, namespace)
    memory._engine.commit(stream, drop=[Drop(kind) for kind in kinds], ttl=KEEP)


def test_store_without_checkpoints_gets_no_line(memory):
    memory.session("t").add("hello")
    assert list(checkpoints_check(memory, 200)) == []


def test_threads_are_counted_with_those_held_and_those_without_messages(memory, chat_graph):
    graph = chat_graph(ThreadkeepSaver(memory))
    for thread in ("whole", "cleared", "held"):
        say(graph, thread)
    memory.session("cleared").clear()
    say(graph, "held", interrupt_before=["answer"])
    assert checkpoint_counts.count(memory._engine, 200) == checkpoint_counts.CheckpointCounts(
        3, 1, 1
    )
    (line,) = checkpoints_check(memory, 200)
    assert line.state == "note"
    assert line.finding == (
        "threads: 3, held by a run: 1, with a newest message that is deleted: 1"
    )
    assert "delete_thread" in line.remedy


def test_count_is_bounded(memory, chat_graph):
    graph = chat_graph(ThreadkeepSaver(memory))
    for number in range(8):
        say(graph, f"thread {number}")
    assert 1 <= checkpoint_counts.count(memory._engine, 3).threads <= 4


def test_nothing_is_wrong_with_whole_threads(memory, nested, clock):
    say(nested(ThreadkeepSaver(memory)), "t")
    clock.tick(OLD)
    assert findings(memory) == []


def test_namespace_that_its_thread_does_not_list_is_listed_again(memory, nested, stored):
    saver = ThreadkeepSaver(memory)
    say(nested(saver), "t")
    commit(memory, "t", "", checkpoints.NAMESPACE)
    (finding,) = findings(memory)
    assert (finding.problem, finding.detail) == ("namespace not on its thread's list", "outer")
    assert finding.fix()
    assert findings(memory) == []
    saver.delete_thread("t")
    assert not any("checkpoint" in name for name in stored(memory))


@pytest.mark.parametrize(
    ("namespace", "problem"),
    [("outer", "checkpoints without a thread"), ("", "checkpoints without a root")],
)
def test_half_of_a_thread_is_removed_once_it_is_old(memory, nested, clock, namespace, problem):
    say(nested(ThreadkeepSaver(memory)), "t")
    kinds = [checkpoints.THREAD] if namespace else [checkpoints.THREAD, *checkpoints.CONTENTS]
    commit(memory, "t", namespace, *kinds)
    assert findings(memory) == []
    clock.tick(OLD)
    (finding,) = findings(memory)
    assert finding.problem == problem
    assert finding.fix()
    assert findings(memory) == []


def test_thread_whose_owner_cannot_be_read_is_named_and_left(memory, chat_graph):
    say(chat_graph(ThreadkeepSaver(memory)), "t")
    engine, stream = memory._engine, checkpoints.stream(memory._engine, "t", "")
    (record,) = engine.read(Query(stream, checkpoints.THREAD))[0].records
    engine.commit(stream, put=[record.__class__("thread", "thread", "[]", record.at)], ttl=KEEP)
    (finding,) = findings(memory)
    assert finding.problem == "unreadable thread"
    assert finding.fix is None


def test_doctor_has_a_line_for_checkpoints(cli, tmp_path, chat_graph):
    url = f"sqlite:///{tmp_path}/chat.db"
    with connect(url) as memory:
        say(chat_graph(ThreadkeepSaver(memory)), "t")
    lines = cli("doctor", "--url", url).out.splitlines()
    assert "ok    checkpoints  threads: 1, held by a run: 0" in lines
    assert cli("repair", "--url", url).out == "nothing is broken\n"
