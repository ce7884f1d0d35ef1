"""Two runs on one thread: the second is refused instead of losing a turn without a word."""

from __future__ import annotations

import threading

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from langchain_threadkeep import ThreadkeepSaver
from langchain_threadkeep.saver.lease import ThreadBusy
from tests.integrations.langchain.saver.conftest import config
from threadkeep import connect
from threadkeep.errors import Conflict


def texts(graph):
    return [message.text for message in graph.get_state(config()).values["messages"]]


def say(graph, text, durability="sync", **more):
    return graph.invoke({"messages": [HumanMessage(text)]}, config(**more), durability=durability)


class Model:
    """A node that waits until it is let on, and says what it was asked."""

    def __init__(self):
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.calls = 0

    def __call__(self, state):
        self.calls += 1
        self.entered.set()
        assert self.go_on.wait(10)
        return {"messages": [AIMessage(f"to {state['messages'][-1].text}")]}


def in_thread(work):
    """Start work in a thread; the result or the error is in the returned list when it is over."""
    outcome = []

    def run():
        try:
            outcome.append(work())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


@pytest.mark.proves("D16")
@pytest.mark.parametrize("same_process", [True, False], ids=["one process", "two processes"])
def test_second_run_is_refused_before_its_model_is_called(opened, chat_graph, same_process):
    first, second = Model(), Model()
    saver = ThreadkeepSaver(opened())
    graph = chat_graph(saver, first)
    other = chat_graph(saver if same_process else ThreadkeepSaver(opened()), second)
    second.go_on.set()
    thread, outcome = in_thread(lambda: say(graph, "one"))
    assert first.entered.wait(10)
    with pytest.raises(ThreadBusy, match="another run is writing"):
        say(other, "two")
    assert second.calls == 0
    first.go_on.set()
    thread.join()
    assert not isinstance(outcome[0], Exception)
    assert texts(graph) == ["one", "to one"]
    say(other, "three")
    assert texts(graph) == ["one", "to one", "three", "to three"]


def test_run_that_read_the_thread_before_another_ended_is_refused(opened):
    saver = ThreadkeepSaver(opened())
    reached, go_on = threading.Event(), threading.Event()

    class Slow(ThreadkeepSaver):
        def get_tuple(self, config):
            found = super().get_tuple(config)
            reached.set()
            assert go_on.wait(10)
            return found

    slow = Slow(opened())
    thread, outcome = in_thread(lambda: say(_graph(slow), "two"))
    assert reached.wait(10)
    say(_graph(saver), "zero")
    go_on.set()
    thread.join()
    assert isinstance(outcome[0], ThreadBusy)
    assert texts(_graph(saver)) == ["zero", "answer"]


def _graph(saver):
    builder = StateGraph(MessagesState)
    builder.add_node("answer", lambda state: {"messages": [AIMessage("answer")]})
    builder.add_edge(START, "answer")
    return builder.compile(checkpointer=saver)


def test_refused_run_that_goes_on_writes_nothing(opened, chat_graph):
    """As older versions of LangGraph do: they write the next checkpoint all the same."""
    first, refused = Model(), []

    class Onward(ThreadkeepSaver):
        def put(self, config, checkpoint, *more):
            try:
                return super().put(config, checkpoint, *more)
            except ThreadBusy as error:
                refused.append(str(error))
                return {
                    "configurable": {**config["configurable"], "checkpoint_id": checkpoint["id"]}
                }

    def ask(state):
        return {"messages": [AIMessage(interrupt("sure?"))]}

    graph = chat_graph(ThreadkeepSaver(opened()), first)
    thread, outcome = in_thread(lambda: say(graph, "one"))
    assert first.entered.wait(10)
    say(chat_graph(Onward(opened()), ask), "two")  # its interrupt does not end the lease
    with pytest.raises(ThreadBusy, match="another run is writing"):
        say(chat_graph(ThreadkeepSaver(opened())), "three")
    first.go_on.set()
    thread.join()
    assert not isinstance(outcome[0], Exception)
    assert texts(graph) == ["one", "to one"]
    assert len(refused) > 1
    assert all("another run is writing" in message for message in refused)


def test_last_wins_where_that_is_asked_for(opened, chat_graph):
    first, second = Model(), Model()
    saver = ThreadkeepSaver(opened(), on_conflict="last")
    second.go_on.set()
    thread, outcome = in_thread(lambda: say(chat_graph(saver, first), "one"))
    assert first.entered.wait(10)
    say(chat_graph(saver, second), "two")
    first.go_on.set()
    thread.join()
    assert not isinstance(outcome[0], Exception)


def test_expired_lease_is_taken_over_and_the_late_run_is_told(opened, chat_graph, clock):
    first, second = Model(), Model()
    graph = chat_graph(ThreadkeepSaver(opened(), lease=30), first)
    other = chat_graph(ThreadkeepSaver(opened(), lease=30), second)
    thread, outcome = in_thread(lambda: say(graph, "one"))
    assert first.entered.wait(10)
    clock.tick(31)
    second.go_on.set()
    say(other, "two")
    first.go_on.set()
    thread.join()
    assert isinstance(outcome[0], ThreadBusy)
    assert texts(other)[-2:] == ["two", "to two"]


def test_failed_run_blocks_nobody(opened, chat_graph):
    saver = ThreadkeepSaver(opened())

    def fails(state):
        raise ValueError("no model")

    with pytest.raises(ValueError, match="no model"):
        say(chat_graph(saver, fails), "one")
    say(chat_graph(ThreadkeepSaver(opened())), "two")


def test_interrupted_run_is_resumed_elsewhere_or_answered_anew(opened):
    def ask(state):
        return {"messages": [AIMessage(f"you said {interrupt('sure?')}")]}

    def graph():
        builder = StateGraph(MessagesState)
        builder.add_node("ask", ask)
        builder.add_edge(START, "ask")
        builder.add_edge("ask", END)
        return builder.compile(checkpointer=ThreadkeepSaver(opened()))

    say(graph(), "one")
    graph().invoke(Command(resume="yes"), config())
    assert texts(graph())[-1] == "you said yes"
    say(graph(), "two")
    say(graph(), "three instead")
    assert "three instead" in texts(graph())


def test_stop_before_a_node_blocks_nobody_of_the_same_process(opened, chat_graph):
    saver = ThreadkeepSaver(opened())
    graph = chat_graph(saver)
    graph.invoke({"messages": [("user", "one")]}, config(), interrupt_before=["answer"])
    graph.invoke({"messages": [("user", "two")]}, config(), interrupt_before=["answer"])
    graph.invoke(None, config())
    assert texts(graph) == ["one", "two", "answer 1"]


def test_update_and_time_travel_never_conflict(opened, chat_graph):
    model = Model()
    saver = ThreadkeepSaver(opened())
    graph = chat_graph(saver)
    say(graph, "zero")
    before = graph.get_state(config()).config
    thread, outcome = in_thread(lambda: say(chat_graph(saver, model), "one"))
    assert model.entered.wait(10)
    graph.update_state(before, {"messages": [HumanMessage("aside")]})
    graph.invoke({"messages": [HumanMessage("travelled")]}, before)
    model.go_on.set()
    thread.join()
    assert not isinstance(outcome[0], Exception)


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_sixteen_runs_on_one_thread_lose_none_without_a_word(tmp_path, durability):
    outcomes = []
    with connect(f"sqlite:///{tmp_path}/chat.db") as memory:
        saver = ThreadkeepSaver(memory)
        runs = [
            in_thread(lambda n=n: say(_graph(saver), f"run {n}", durability)) for n in range(16)
        ]
        for number, (thread, outcome) in enumerate(runs):
            thread.join()
            outcomes.append((number, outcome[0]))
        said = texts(_graph(ThreadkeepSaver(memory)))
    errors = [outcome for _, outcome in outcomes if isinstance(outcome, Exception)]
    assert all(isinstance(error, Conflict) for error in errors), errors
    succeeded = {f"run {n}" for n, outcome in outcomes if not isinstance(outcome, Exception)}
    assert succeeded
    assert succeeded <= set(said)
