"""Checkpoints of other checkpointers: imported with equal histories, and again without harm."""

from __future__ import annotations

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph.message import add_messages

from langchain_threadkeep import ThreadkeepSaver, import_checkpoints
from tests.integrations.langchain.saver.programs import CONFIG, Program, graph_of, same, snapshot
from tests.servers import postgres
from threadkeep import connect
from threadkeep.errors import InputError


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def source(request, tmp_path):
    if request.param == "memory":
        yield InMemorySaver()
    elif request.param == "sqlite":
        with SqliteSaver.from_conn_string(f"{tmp_path}/theirs.db") as saver:
            yield saver
    else:
        with PostgresSaver.from_conn_string(postgres.url()) as saver:
            saver.setup()
            saver.delete_thread("t")
            yield saver


@pytest.mark.proves("D16")
@pytest.mark.parametrize("seed", [1, 5])
def test_imported_history_is_equal(source, seed):
    Program.on(source, seed, turns=4)
    with connect("memory://") as memory:
        target = ThreadkeepSaver(memory)
        assert import_checkpoints(source, target) == len(list(source.list(None)))
        assert import_checkpoints(source, target) == 0
        ours = graph_of(add_messages, target).get_state_history(CONFIG)
        theirs = graph_of(add_messages, source).get_state_history(CONFIG)
        same([snapshot(s) for s in ours], [snapshot(s) for s in theirs], "imported")
        assert memory.session("t").items()


def test_import_goes_on_where_it_was_broken_off():
    source = InMemorySaver()
    Program.on(source, 3, turns=4)

    class Broken(InMemorySaver):
        left = 3

        def get_tuple(self, config):
            self.left -= 1
            if not self.left:
                raise ConnectionError("the source went away")
            return source.get_tuple(config)

        def list(self, *args, **how):
            return source.list(*args, **how)

    with connect("memory://") as memory:
        target = ThreadkeepSaver(memory)
        with pytest.raises(ConnectionError):
            import_checkpoints(Broken(), target)
        import_checkpoints(source, target)
        ours = graph_of(add_messages, target).get_state_history(CONFIG)
        theirs = graph_of(add_messages, source).get_state_history(CONFIG)
        same([snapshot(s) for s in ours], [snapshot(s) for s in theirs], "imported")


def test_imported_thread_belongs_to_the_user_of_its_metadata():
    source = InMemorySaver()
    config = {"configurable": {"thread_id": "t", "user_id": "ada"}}
    graph_of(add_messages, source).invoke({"messages": [("user", "hi")], "plan": []}, config)
    with connect("memory://") as memory:
        import_checkpoints(source, ThreadkeepSaver(memory))
        assert memory.session("t").info().user == "ada"


def test_target_must_be_ours():
    with pytest.raises(InputError, match="ThreadkeepSaver"):
        import_checkpoints(InMemorySaver(), InMemorySaver())
