"""`load_history_node` and `save_history_node` in graphs of one's own."""

from __future__ import annotations

import asyncio

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from langchain_threadkeep import load_history_node, save_history_node
from tests.integrations.langchain.chains import ASK, CONFIG, Echo, said, shown, texts, user, weather
from threadkeep.errors import ConfigError, NotOwner


@pytest.fixture(params=["no saver", "saver"])
def saver(request):
    return InMemorySaver() if request.param == "saver" else None


def graph(memory, model, saver=None, window=None):
    async def answer(state):
        return {"messages": [await model.ainvoke(state["messages"])]}

    def answer_now(state):
        return {"messages": [model.invoke(state["messages"])]}

    from langchain_core.runnables import RunnableLambda

    builder = StateGraph(MessagesState)
    builder.add_node("load", load_history_node(memory, window=window))
    builder.add_node("model", RunnableLambda(answer_now, answer))
    builder.add_node("save", save_history_node(memory))
    for before, after in ((START, "load"), ("load", "model"), ("model", "save")):
        builder.add_edge(before, after)
    return builder.compile(checkpointer=saver)


@pytest.fixture(params=["sync", "async"])
def invoke(request):
    if request.param == "sync":
        return lambda graph, given, config=CONFIG: graph.invoke(given, config)
    return lambda graph, given, config=CONFIG: asyncio.run(graph.ainvoke(given, config))


def test_turns_are_stored_once_and_shown_again(memory, saver, invoke, chat):
    model = Echo()
    runner = graph(memory, model, saver)
    for text in "abc":
        invoke(runner, user(text))
    assert [text for _, text in said(chat)] == ["a", "re: a", "b", "re: b", "c", "re: c"]
    assert texts(model.seen[-1]) == ["a", "re: a", "b", "re: b", "c"]


def test_a_window_slides_and_nothing_is_lost(memory, saver, invoke, chat):
    model = Echo()
    runner = graph(memory, model, saver, window={"max_messages": 2, "step": 0})
    for number in range(5):
        invoke(runner, user(str(number)))
    assert [text for _, text in said(chat)][-4:] == ["3", "re: 3", "4", "re: 4"]
    assert len(chat.items()) == 10
    if saver is None:
        assert texts(model.seen[-1]) == ["3", "re: 3", "4"]


def test_what_others_stored_gets_ids_and_is_not_stored_again(memory, saver, invoke, chat):
    chat.add("from elsewhere", {"role": "assistant", "content": "indeed"})
    model = Echo()
    runner = graph(memory, model, saver)
    for text in "ab":
        invoke(runner, user(text))
    assert [text for _, text in said(chat)] == [
        "from elsewhere", "indeed", "a", "re: a", "b", "re: b",
    ]  # fmt: skip
    assert texts(model.seen[-1]) == ["from elsewhere", "indeed", "a", "re: a", "b"]


def test_a_loop_of_tools_is_stored_whole(memory, served, chat):
    chat_model, model = served([ASK, "warm", "bye"])
    builder = StateGraph(MessagesState)
    builder.add_node("load", load_history_node(memory))
    builder.add_node("model", lambda state: {"messages": [chat_model.invoke(state["messages"])]})
    builder.add_node("tools", ToolNode([weather]))
    builder.add_node("save", save_history_node(memory))
    builder.add_edge(START, "load")
    builder.add_edge("load", "model")
    builder.add_conditional_edges("model", tools_condition, {"tools": "tools", "__end__": "save"})
    builder.add_edge("tools", "model")
    runner = builder.compile()
    for text in ("weather?", "thanks"):
        runner.invoke(user(text), CONFIG)
    assert [role for role, _ in said(chat)] == [
        "user", "assistant", "tool", "assistant", "user", "assistant",
    ]  # fmt: skip
    assert shown(model) == ["weather?", None, "Lisbon: 21", "warm", "thanks"]


def test_saving_twice_stores_once(memory, chat):
    node = save_history_node(memory)
    messages = [HumanMessage("a", id="1"), AIMessage("b", id="2")]
    for _ in range(2):
        node.invoke({"messages": messages}, CONFIG)
    node.invoke({"messages": [*messages, HumanMessage("c", id="3")]}, CONFIG)
    assert [text for _, text in said(chat)] == ["a", "b", "c"]


def test_who_it_is(memory):
    node = save_history_node(memory, user="ada")
    node.invoke({"messages": [HumanMessage("a", id="1")]}, CONFIG)
    assert memory.session("t").info().user == "ada"
    bob = {"configurable": {"thread_id": "t", "user_id": "bob"}}
    with pytest.raises(NotOwner):
        load_history_node(memory).invoke({"messages": []}, bob)
    with pytest.raises(ConfigError, match="thread_id"):
        node.invoke({"messages": []}, {})
