"""Agents of `create_agent` with `ThreadkeepMiddleware`: what is stored is all that was said, once.

The chat model asks a scripted server over HTTP, which refuses prompts that OpenAI would refuse.
"""

from __future__ import annotations

import asyncio

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import HumanMessage, SystemMessage
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

import threadkeep
from langchain_threadkeep import ThreadkeepMiddleware
from tests.integrations.langchain.chains import (
    ASK,
    ASK_TWO,
    CONFIG,
    said,
    shown,
    texts,
    user,
    weather,
)


@pytest.fixture(params=["sync", "async", "stream", "async stream"])
def run(request):
    """Runs an agent to its end, in one of four ways."""

    async def drained(stream):
        return [part async for part in stream]

    ways = {
        "sync": lambda agent, given, config: agent.invoke(given, config),
        "async": lambda agent, given, config: asyncio.run(agent.ainvoke(given, config)),
        "stream": lambda agent, given, config: list(agent.stream(given, config)),
        "async stream": lambda agent, given, config: asyncio.run(
            drained(agent.astream(given, config, stream_mode="messages"))
        ),
    }
    return lambda agent, given, config=CONFIG: ways[request.param](agent, given, config)


class TestEveryWayToRun:
    def test_turns_with_tools_are_stored_whole_and_shown_again(self, agent, run, chat):
        runner, model = agent(["hello", ASK_TWO, "warm", "bye"], system_prompt="be kind")
        for text in ("hi", "weather?", "thanks"):
            run(runner, user(text))
        assert said(chat) == [
            ("user", "hi"), ("assistant", "hello"), ("user", "weather?"),
            ("assistant", "weather+weather"), ("tool", "Lisbon: 21"), ("tool", "Rome: 21"),
            ("assistant", "warm"), ("user", "thanks"), ("assistant", "bye"),
        ]  # fmt: skip
        assert shown(model) == [
            "hi", "hello", "weather?", None, "Lisbon: 21", "Rome: 21", "warm", "thanks",
        ]  # fmt: skip
        assert [m["role"] for m in model.requests[-1]["messages"]].count("system") == 1

    def test_a_model_that_fails_costs_only_its_answer(self, agent, run, chat):
        runner, model = agent(["hello", 400, "bye"])
        run(runner, user("hi"))
        with pytest.raises(Exception, match="Bad request"):
            run(runner, user("again", id="u2"))
        assert said(chat)[-1] == ("user", "again")
        run(runner, user("again", id="u2"))
        assert said(chat) == [
            ("user", "hi"), ("assistant", "hello"), ("user", "again"), ("assistant", "bye"),
        ]  # fmt: skip
        assert shown(model) == ["hi", "hello", "again"]

    def test_half_of_an_emoji_ends_neither_this_run_nor_later_ones(self, agent, run, chat, memory):
        memory.user("ada").facts.add("Ada likes \ud83d")
        runner, model = agent(["hello", "bye"])
        config = {"configurable": {"thread_id": "t", "user_id": "ada"}}
        for text in ("hi \ud83d", "again"):
            run(runner, user(text), config)
        assert shown(model) == ["hi ?", "hello", "again"]

    def test_a_failure_between_tools_and_answer(self, agent, run, chat):
        runner, model = agent([ASK, 400, "warm"])
        with pytest.raises(Exception, match="Bad request"):
            run(runner, user("weather?", id="u"))
        assert said(chat)[1:] == [("assistant", "weather"), ("tool", "Lisbon: 21")]
        run(runner, user("and now?"))
        assert shown(model) == ["weather?", None, "Lisbon: 21", "and now?"]
        assert said(chat)[-2:] == [("user", "and now?"), ("assistant", "warm")]

    def test_structured_output(self, agent, run, chat):
        class Weather(BaseModel):
            """The weather."""

            degrees: int

        told = {"tool_calls": [{"name": "Weather", "args": {"degrees": 21}}]}
        runner, model = agent([told, told], response_format=ToolStrategy(Weather))
        for text in ("weather?", "again?"):
            run(runner, user(text))
        assert [role for role, _ in said(chat)] == ["user", "assistant", "tool"] * 2
        assert len(model.requests) == 2


class TestTheState:
    def test_it_is_never_rewritten(self, agent, chat, saver):
        runner, _ = agent(["1", "2", "3"], window={"max_messages": 2, "step": 0})
        for number in "123":
            state = runner.invoke(user(f"q{number}"), CONFIG)
        told = ["q1", "1", "q2", "2", "q3", "3"] if saver else ["q3", "3"]
        assert texts(state["messages"]) == told
        assert state.keys() == {"messages"}
        assert len(chat.items()) == 6

    def test_messages_come_back_as_langchain_made_them(self, agent, chat, memory):
        runner, _ = agent([ASK, "warm"])
        state = runner.invoke(user("weather?"), CONFIG)
        from langchain_threadkeep import ThreadkeepChatMessageHistory

        assert ThreadkeepChatMessageHistory("t", memory).messages == state["messages"]

    def test_a_window_is_what_the_model_sees(self, agent, chat):
        runner, model = agent(["1", "2", "3", "4"], window={"max_messages": 3, "step": 0})
        for number in "1234":
            runner.invoke(user(f"q{number}"), CONFIG)
        assert shown(model) == ["q3", "3", "q4"]

    def test_a_long_turn_keeps_its_question(self, agent, chat):
        runner, model = agent([ASK] * 6 + ["warm"], window={"max_messages": 5, "step": 0})
        runner.invoke(user("weather?"), CONFIG)
        assert shown(model) == ["weather?", None, "Lisbon: 21", None, "Lisbon: 21"]
        assert len(chat.items()) == 14

    def test_input_of_several_messages_and_kinds(self, agent, chat):
        runner, model = agent(["ok", "yes"])
        given = [SystemMessage("today is Monday"), HumanMessage("a"), HumanMessage("b")]
        runner.invoke({"messages": given}, CONFIG)
        runner.invoke(user("c"), CONFIG)
        assert [text for _, text in said(chat)] == ["today is Monday", "a", "b", "ok", "c", "yes"]
        assert shown(model) == ["a", "b", "ok", "c"]

    def test_a_store_that_keeps_nothing_still_answers(self, served, saver):
        chat_model, model = served([ASK, "warm"])
        ours = ThreadkeepMiddleware("none://")
        runner = create_agent(chat_model, [weather], middleware=[ours], checkpointer=saver)
        runner.invoke(user("weather?"), CONFIG)
        assert shown(model) == ["weather?", None, "Lisbon: 21"]

    def test_a_thread_that_began_without_a_memory_is_taken_over(self, memory, served, chat):
        saver = InMemorySaver()
        chat_model, _ = served(["1", ASK, "2", "3"])
        before = create_agent(chat_model, [weather], checkpointer=saver)
        for text in ("a", "b"):
            before.invoke(user(text), CONFIG)
        ours = ThreadkeepMiddleware(memory)
        after = create_agent(chat_model, [weather], middleware=[ours], checkpointer=saver)
        state = after.invoke(user("c"), CONFIG)
        assert [item.text for item in chat.items()] == texts(state["messages"])
        assert len(chat.items()) == 8


def test_the_store_is_a_file_that_others_read(agent, tmp_path):
    runner, _ = agent([ASK, "warm"])
    runner.invoke(user("weather?"), CONFIG)
    with threadkeep.connect(f"sqlite:///{tmp_path}/chat.db") as other:
        window = other.session("t").window().to_anthropic()
    assert [message["role"] for message in window] == ["user", "assistant", "user", "assistant"]
