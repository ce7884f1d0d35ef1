"""Beside the middleware and the store on one Memory: in both colours, and nothing twice."""

from __future__ import annotations

import asyncio
import time

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, MessagesState, StateGraph

from langchain_threadkeep import ThreadkeepMiddleware, ThreadkeepSaver, ThreadkeepStore
from tests.integrations.langchain.chains import weather
from tests.integrations.langchain.conftest import served
from tests.integrations.langchain.saver.conftest import config
from threadkeep import connect
from threadkeep.errors import ConfigError

__all__ = ["served"]

CALL = {"tool_calls": [{"name": "weather", "args": {"city": "Oslo"}}]}


def bodies(stored, memory):
    return [record.body for records in stored(memory).values() for record in records]


@pytest.mark.proves("D16")
@pytest.mark.parametrize("delay", [0, 0.05], ids=["at once", "late"])
@pytest.mark.parametrize("run_async", [False, True], ids=["sync", "async"])
def test_agent_with_middleware_stores_nothing_twice(
    memory, served, stored, run_async, delay, monkeypatch
):
    """Pending writes may arrive behind the checkpoint that has them: they are sent by a thread."""
    put_writes = ThreadkeepSaver.put_writes

    def late(self, *args):
        time.sleep(delay)
        put_writes(self, *args)

    monkeypatch.setattr(ThreadkeepSaver, "put_writes", late)
    model, _ = served([CALL, "It is raining cats.", "You asked about Oslo, cheers."])
    agent = create_agent(
        model,
        tools=[weather],
        checkpointer=ThreadkeepSaver(memory),
        middleware=[ThreadkeepMiddleware(memory)],
        store=ThreadkeepStore(memory),
    )
    for text in ("How is Oslo, unmistakably?", "What did I ask, precisely?"):
        given = {"messages": [{"role": "user", "content": text}]}
        if run_async:
            asyncio.run(agent.ainvoke(given, config()))
        else:
            agent.invoke(given, config())
    items = memory.session("t").items()
    first, second = ["user", "assistant", "tool", "assistant"], ["user", "assistant"]
    assert [item.role for item in items] == [*first, *second]
    said = [m.text for m in agent.get_state(config()).values["messages"]]
    assert said == [item.text for item in items]
    for text in ("unmistakably", "raining cats", "precisely", "cheers"):
        assert sum(text in body for body in bodies(stored, memory)) == 1, text


def test_every_snippet_of_from_conn_string_works(tmp_path, chat_graph):
    url = f"sqlite:///{tmp_path}/chat.db"
    with ThreadkeepSaver.from_conn_string(url) as saver:
        saver.setup()
        chat_graph(saver).invoke({"messages": [("user", "hi")]}, config())

    async def later():
        async with ThreadkeepSaver.from_conn_string(url) as saver:
            await saver.setup()
            graph = chat_graph(saver)
            await graph.ainvoke({"messages": [("user", "again")]}, config())
            return [s.metadata["step"] async for s in graph.aget_state_history(config())]

    assert asyncio.run(later()) == [4, 3, 2, 1, 0, -1]


def test_one_object_serves_several_event_loops(memory, chat_graph):
    graph = chat_graph(ThreadkeepSaver(memory))
    for _ in range(3):
        asyncio.run(graph.ainvoke({"messages": [("user", "hi")]}, config()))
    assert len(graph.get_state(config()).values["messages"]) == 6


def test_subgraph_messages_of_its_own_stay_out_of_the_session(memory):
    class Inner(MessagesState):
        pass

    inner = StateGraph(Inner)
    inner.add_node("think", lambda s: {"messages": [AIMessage("thinking", id="i1")]})
    inner.add_edge(START, "think")
    compiled = inner.compile()

    def outer(state):
        compiled.invoke({"messages": [HumanMessage("do it", id="task")]})
        return {"messages": [AIMessage("done", id="o1")]}

    builder = StateGraph(MessagesState)
    builder.add_node("outer", outer)
    builder.add_edge(START, "outer")
    builder.add_edge("outer", END)
    graph = builder.compile(checkpointer=ThreadkeepSaver(memory))
    graph.invoke({"messages": [("user", "go")]}, config())
    assert [item.text for item in memory.session("t").items()] == ["go", "done"]


def test_nothing_is_pickled(memory, chat_graph):
    with pytest.raises(ConfigError, match="unpickled"):
        ThreadkeepSaver(memory, serde=JsonPlusSerializer(pickle_fallback=True))


def test_allow_list_of_a_graph_keeps_the_store(memory):
    saver = ThreadkeepSaver(memory, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
    clone = saver.with_allowlist([("tests", "Thing")])
    saver.put(config(checkpoint_ns=""), _checkpoint("1"), {"source": "loop", "step": 0}, {"k": 1})
    assert clone.get_tuple(config()).checkpoint["channel_values"] == {"k": {1, 2}}


def _checkpoint(id):
    return {
        "v": 1, "id": id, "ts": "2026-01-01T00:00:00+00:00", "channel_values": {"k": {1, 2}},
        "channel_versions": {"k": 1}, "versions_seen": {}, "updated_channels": None,
    }  # fmt: skip


def test_encrypted_store_shows_no_text(tmp_path, chat_graph):
    from threadkeep.backends.encrypted import new_key

    path = tmp_path / "chat.db"
    with connect(f"sqlite:///{path}", key=new_key()) as memory:
        graph = chat_graph(ThreadkeepSaver(memory))
        graph.invoke({"messages": [("user", "xylophone")]}, config())
        assert graph.get_state(config()).values["messages"][0].text == "xylophone"
    assert b"xylophone" not in path.read_bytes()
