"""The application removes messages between the turns: what is said afterwards is stored anew."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import interrupt

from langchain_threadkeep import ThreadkeepSaver
from tests.integrations.langchain.saver.conftest import config
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend

WORDS = ["yes", "no"]
said = st.tuples(
    st.just("say"), st.sampled_from(WORDS), st.sampled_from(["pair", "dict", "text", "message"])
)
removed = st.tuples(
    st.sampled_from(["clear", "delete", "rewind", "remove", "forget", "replace"]),
    st.integers(0, 9),
    st.booleans(),
)


class Chat:
    """A graph that says again what it heard, and an application beside it, as one or two processes.

    Attributes:
        expected: the ids and texts that the state should have.
    """

    def __init__(self):
        backend = MemoryBackend()
        self.memory, self.elsewhere = connect(backend), connect(backend)
        self.saver = ThreadkeepSaver(self.memory)
        self.expected: dict[Any, str] = {}

    def say(self, text, shape):
        given: Any = {
            "pair": ("user", text),
            "dict": {"role": "user", "content": text},
            "text": text,
            "message": HumanMessage(text),
        }[shape]
        self.graph(self.saver).invoke({"messages": [given]}, config(), durability="sync")
        for saver in (self.saver, ThreadkeepSaver(self.elsewhere)):
            found = self.messages(saver)
            assert found[:-2] == list(self.expected.items())
            assert [content for _, content in found[-2:]] == [text, WORDS[0]]
            assert text in str(self.newest_input(saver))
        self.expected = dict(found)

    def remove(self, how, place, elsewhere):
        chat = (self.elsewhere if elsewhere else self.memory).session("t")
        ids = [item.id for item in chat.items()]
        if not ids:
            return
        before, id = self.messages(self.saver), ids[place % len(ids)]
        match how:
            case "clear" | "delete":
                getattr(chat, how)()
            case "rewind":
                chat.rewind(last=1)
            case "replace":
                role = chat.items()[place % len(ids)].role
                chat.replace(id, {"role": role, "content": "edited"})
            case _:
                getattr(chat, how)(id)
        if how == "delete":
            self.expected = {}
            return
        left = {item.id: item.text for item in chat.items()} if how != "clear" else {}
        self.expected = {
            known: left[kept]
            for (known, _), kept in zip(before, self.item_ids(before, ids), strict=True)
            if kept in left
        }

    def item_ids(self, messages, ids):
        """The items of the messages, which are in the same order."""
        return ids if len(ids) == len(messages) else pytest.fail("the state has other messages")

    def messages(self, saver):
        values = self.graph(saver).get_state(config()).values
        return [(message.id, message.text) for message in values.get("messages", [])]

    def newest_input(self, saver):
        found = next(iter(saver.list(config(), filter={"source": "input"})))
        return found.checkpoint["channel_values"]["__start__"]

    def graph(self, saver):
        def answer(state):
            return {"messages": [*state["messages"], AIMessage(WORDS[0])]}

        builder = StateGraph(MessagesState)
        builder.add_node("answer", answer)
        builder.add_edge(START, "answer")
        return builder.compile(checkpointer=saver)

    def close(self):
        self.memory.close()
        self.elsewhere.close()


@settings(max_examples=60)
@given(st.lists(said | removed, min_size=2, max_size=8))
@example([("say", "yes", "pair"), ("clear", 0, False), ("say", "yes", "pair")])
@example([("say", "yes", "pair"), ("clear", 0, True), ("say", "yes", "pair")])
@example([("say", "no", "text"), ("replace", 0, True), ("say", "no", "text")])
def test_what_is_said_again_after_its_message_was_removed_is_stored_again(steps):
    chat = Chat()
    try:
        for name, *how in steps:
            chat.say(*how) if name == "say" else chat.remove(name, *how)
    finally:
        chat.close()


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "elsewhere"])
def test_pending_write_of_a_removed_message_is_stored(elsewhere):
    backend = MemoryBackend()
    fixed = HumanMessage("fixed", id="f")

    def ask(state):
        return {"messages": [AIMessage(str(interrupt("sure?")))]}

    builder = StateGraph(MessagesState)
    builder.add_node("ask", ask)
    builder.add_node("repeat", lambda state: {"messages": [fixed]})
    builder.add_edge(START, "ask")
    builder.add_edge(START, "repeat")
    with connect(backend) as memory, connect(backend) as other:
        graph = builder.compile(checkpointer=ThreadkeepSaver(memory))
        graph.update_state(config(), {"messages": [fixed]}, as_node="repeat")
        (other if elsewhere else memory).session("t").clear()
        graph.invoke({"messages": [HumanMessage("go")]}, config(), durability="sync")
        cold = builder.compile(checkpointer=ThreadkeepSaver(other))
        results = [task.result for task in cold.get_state(config()).tasks]
    assert {"messages": [fixed]} in results
