"""What a read costs, and that what is known is never handed out where the store says otherwise."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_threadkeep import ThreadkeepSaver
from langchain_threadkeep.saver import state
from tests.engine.doubles import Wrapper
from tests.integrations.langchain.saver.conftest import config
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend


class Counting(Wrapper):
    """Counts round trips, and the records that are read, by kind."""

    def __init__(self, inner):
        super().__init__(inner)
        self.trips, self.kinds = 0, []

    def read(self, *queries, now):
        pages = super().read(*queries, now=now)
        self.trips += 1
        self.kinds += [record.kind for page in pages for record in page.records]
        return pages

    def count(self, work):
        self.trips, self.kinds = 0, []
        return work()


@pytest.fixture
def backend():
    return Counting(MemoryBackend())


def say(graph, text):
    return graph.invoke({"messages": [HumanMessage(text)]}, config(), durability="sync")


def texts(saved):
    return [message.text for message in saved.checkpoint["channel_values"]["messages"]]


def test_warm_read_is_one_round_trip_and_reads_no_message(backend, chat_graph):
    with connect(backend) as memory:
        saver = ThreadkeepSaver(memory)
        graph = chat_graph(saver)
        for number in range(10):
            say(graph, f"question {number}")
        found = backend.count(lambda: saver.get_tuple(config()))
        assert len(texts(found)) == 20
        assert backend.trips == 1
        assert "item" not in backend.kinds


@pytest.mark.parametrize("turns", [5, 50])
def test_cold_read_costs_what_it_shows_however_many_checkpoints(backend, chat_graph, turns):
    with connect(backend) as memory:
        graph = chat_graph(ThreadkeepSaver(memory))
        for number in range(turns):
            say(graph, f"question {number}")
        found = backend.count(lambda: ThreadkeepSaver(memory).get_tuple(config()))
        assert len(texts(found)) == 2 * turns
        assert backend.trips <= 5
        assert backend.kinds.count("item") == 2 * turns
        assert backend.kinds.count("checkpoint") == 1


def test_old_checkpoint_reads_only_its_own_messages(backend, chat_graph):
    with connect(backend) as memory:
        graph = chat_graph(ThreadkeepSaver(memory))
        say(graph, "first")
        early = graph.get_state(config()).config
        for number in range(20):
            say(graph, f"question {number}")
        found = backend.count(lambda: ThreadkeepSaver(memory).get_tuple(early))
        assert texts(found) == ["first", "answer 1"]
        assert backend.kinds.count("item") == 2


def test_write_of_another_process_is_seen(backend, chat_graph):
    with connect(backend) as one, connect(backend) as two:
        first, second = ThreadkeepSaver(one), ThreadkeepSaver(two)
        say(chat_graph(first), "one")
        say(chat_graph(second), "two")
        assert len(texts(first.get_tuple(config()))) == 4
        say(chat_graph(first), "three")
        assert len(texts(second.get_tuple(config()))) == 6


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "elsewhere"])
def test_edit_by_the_application_is_seen(backend, chat_graph, elsewhere):
    with connect(backend) as memory, connect(backend) as other:
        saver = ThreadkeepSaver(memory)
        say(chat_graph(saver), "one")
        assert texts(saver.get_tuple(config())) == ["one", "answer 1"]
        editing = other if elsewhere else memory
        session = editing.session("t")
        session.add("an item that only the session has")
        assert texts(saver.get_tuple(config())) == ["one", "answer 1"]
        session.replace(session.items()[0].id, "edited")
        assert texts(saver.get_tuple(config())) == ["edited", "answer 1"]


def test_message_changed_in_place_after_it_was_read_is_not_handed_out(backend, chat_graph):
    with connect(backend) as memory:
        saver = ThreadkeepSaver(memory)
        say(chat_graph(saver), "one")
        found = saver.get_tuple(config()).checkpoint["channel_values"]["messages"]
        found[0].additional_kwargs["seen"] = True
        again = saver.get_tuple(config()).checkpoint["channel_values"]["messages"]
        assert again[0].additional_kwargs == {}


@pytest.mark.parametrize("strict", [False, True])
def test_old_message_changed_in_place_is_stored_if_strict(backend, chat_graph, strict):
    def changes(graph_state):
        graph_state["messages"][0].content = "changed"
        return {"messages": [AIMessage("done")]}

    with connect(backend) as memory:
        saver = ThreadkeepSaver(memory, strict=strict)
        graph = chat_graph(saver)
        for number in range(20):
            say(graph, f"question {number}")
        say(chat_graph(saver, changes), "change it")
        first = texts(ThreadkeepSaver(memory).get_tuple(config()))[0]
        assert first == ("changed" if strict else "question 0")


def test_what_is_known_is_bounded(backend, chat_graph, monkeypatch):
    monkeypatch.setattr(state, "_ELEMENTS", 40)
    with connect(backend) as memory:
        saver = ThreadkeepSaver(memory)
        graph = chat_graph(saver)
        for thread in range(30):
            graph.invoke({"messages": [HumanMessage("hi")]}, config(f"t{thread}"))
        saver._states.trim()
        assert sum(known.size for known in saver._states._states.values()) <= 42


def test_list_pages_through_the_store(backend, chat_graph):
    with connect(backend) as memory:
        saver = ThreadkeepSaver(memory)
        graph = chat_graph(saver)
        for number in range(30):
            say(graph, f"question {number}")
        newest = backend.count(lambda: list(saver.list(config(), limit=2)))
        assert [found.metadata["step"] for found in newest] == [88, 87]
        assert backend.kinds.count("checkpoint") <= 4
        whole = list(saver.list(config()))
        assert [found.metadata["step"] for found in whole] == list(range(88, -2, -1))
        before = list(saver.list(config(), before=whole[10].config, limit=3))
        assert [found.metadata["step"] for found in before] == [77, 76, 75]
