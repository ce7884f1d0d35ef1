"""LangGraph's checkpointers and stores, written by its own classes, without unpickling."""

from __future__ import annotations

import os
import pickle
import sqlite3
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.store.postgres import PostgresStore
from langgraph.store.sqlite import SqliteStore

from langchain_threadkeep import ThreadkeepChatMessageHistory
from tests.importers.test_databases_by_url import pg  # noqa: F401 - a fixture
from threadkeep import import_chats
from threadkeep.importers.fields import Malformed
from threadkeep.importers.formats.langgraph_values import decode

pytestmark = pytest.mark.slow  # servers
ANSWERS = [
    AIMessage("", tool_calls=[{"name": "f", "args": {"n": 1}, "id": "c"}], id="a"),
    ToolMessage("1", tool_call_id="c", id="t"),
    AIMessage("one", id="b", response_metadata={"model_name": "gpt-5"}),
]


def graph(saver):
    builder = StateGraph(MessagesState)
    builder.add_node("answer", lambda state: {"messages": ANSWERS})
    builder.add_edge(START, "answer")
    return builder.compile(checkpointer=saver)


def run(saver, thread, user="ada"):
    """Two turns of a thread; what its state holds then."""
    config = {"configurable": {"thread_id": thread}, "metadata": {"user_id": user}}
    chat = graph(saver)
    chat.invoke({"messages": [HumanMessage("How many?", id="h")]}, config)
    chat.invoke({"messages": [HumanMessage("And now?", id="i")]}, config)
    return chat.get_state(config).values["messages"]


@contextmanager
def sqlite_saver(path, **options):
    connection = sqlite3.connect(path, check_same_thread=False)
    saver = SqliteSaver(connection, **options)
    saver.setup()
    yield saver
    connection.close()


def restored(memory, session):
    return ThreadkeepChatMessageHistory(session, memory).messages


@pytest.mark.parametrize("server", ["sqlite", "postgres"])
def test_the_newest_state_of_each_thread_comes_over(memory, tmp_path, server, request):
    if server == "sqlite":
        source = tmp_path / "c.db"
        with sqlite_saver(source) as saver:
            state = run(saver, "t1")
            run(saver, "t2", "bob")
    else:
        source = request.getfixturevalue("pg")
        with PostgresSaver.from_conn_string(source) as saver:
            saver.setup()
            state = run(saver, "t1")
            run(saver, "t2", "bob")
    report = import_chats(memory, source)
    assert (report.sessions, report.messages, report.skipped) == (2, 2 * len(state), [])
    assert restored(memory, "t1") == state
    assert memory.session("t1").info().user == "ada"
    assert memory.session("t2").info().user == "bob"
    assert memory.session("t1").items()[0].created_at is not None
    assert import_chats(memory, source).existing == 2 * len(state)


class Run:
    """What runs when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("unpickled",)


def test_a_pickled_state_is_named_and_never_loaded(memory, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "c.db"
    with sqlite_saver(path, serde=JsonPlusSerializer(pickle_fallback=True)) as saver:
        run(saver, "t1")
        run(saver, "t2")
        saver.conn.execute(
            "UPDATE checkpoints SET type = 'pickle', checkpoint = ? WHERE thread_id = 't1'",
            (pickle.dumps(Run()),),
        )
        saver.conn.commit()
    report = import_chats(memory, path)
    assert (report.sessions, [skip.location for skip in report.skipped]) == (
        1, ["c.db:checkpoints t1"],
    )  # fmt: skip
    assert "never loaded" in report.skipped[0].reason
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize("damage", [b"", b"\xc1", b"\x81", b"\xdf\xff\xff\xff\xff"])
def test_a_damaged_state_costs_only_itself(memory, tmp_path, damage):
    path = tmp_path / "c.db"
    with sqlite_saver(path) as saver:
        run(saver, "t1")
        state = run(saver, "t2")
        saver.conn.execute(
            "UPDATE checkpoints SET checkpoint = ? WHERE thread_id = 't1'", (damage,)
        )
        saver.conn.commit()
    report = import_chats(memory, path)
    assert (report.messages, report.skipped_count) == (len(state), 1)


def test_threads_without_messages_are_named(memory, tmp_path):
    path = tmp_path / "c.db"
    with sqlite_saver(path) as saver:
        builder: Any = StateGraph(dict)
        builder.add_node("n", lambda state: {"x": 1})
        builder.add_edge(START, "n")
        config: Any = {"configurable": {"thread_id": "t1"}}
        builder.compile(checkpointer=saver).invoke({"x": 0}, config)
    [skipped] = import_chats(memory, path).skipped
    assert skipped.reason == "its state has no messages"


@pytest.mark.parametrize("server", ["sqlite", "postgres"])
def test_memories_of_the_stores_become_facts(memory, tmp_path, server, request):
    if server == "sqlite":
        source = tmp_path / "s.db"
        opened: Any = SqliteStore.from_conn_string(str(source))
    else:
        source = request.getfixturevalue("pg")
        opened = PostgresStore.from_conn_string(source)
    with opened as store:
        store.setup()
        store.put(("memories", "ada"), "1", {"memory": "Ada likes tea"})
        store.put(("ada", "memories"), "2", {"kind": "Memory", "content": {"content": "Ada rows"}})
        store.put(("memories", "ada"), "3", {"count": 3})
    report = import_chats(memory, source)
    assert (report.facts, report.skipped_count) == (2, 1)
    texts = sorted(fact.text for fact in memory.user("ada").facts.list())
    assert texts == ["Ada likes tea", "Ada rows"]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text()
    | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON, st.text())
def test_what_the_serializer_writes_is_read_as_plain_data(value, text):
    serde = JsonPlusSerializer()
    message = HumanMessage(text, additional_kwargs={"x": value})
    type, data = serde.dumps_typed({"value": value, "messages": [message]})
    decoded = decode(type, data)
    assert decoded["value"] == value
    assert decoded["messages"] == [message.model_dump()]


@given(st.binary(max_size=60))
def test_any_bytes_are_data_or_refused(data):
    try:
        decode("msgpack", data)
    except Malformed:
        return
