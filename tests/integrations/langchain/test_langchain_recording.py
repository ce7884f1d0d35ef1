"""`record_responses=True`: each answer of an agent's model is a response, with what it cost."""

from __future__ import annotations

import asyncio
import logging

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware
from langchain_core.caches import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from langchain_threadkeep import ThreadkeepMiddleware
from tests.integrations.langchain.chains import ASK, ASK_TWO, CONFIG, Echo, user
from threadkeep.errors import BackendError
from threadkeep.responses import store

ON = {"ours": {"record_responses": True}}


async def drained(stream):
    return [part async for part in stream]


WAYS = {
    "sync": lambda agent, given: agent.invoke(given, CONFIG),
    "async": lambda agent, given: asyncio.run(agent.ainvoke(given, CONFIG)),
    "stream": lambda agent, given: list(agent.stream(given, CONFIG, stream_mode="messages")),
    "async stream": lambda agent, given: asyncio.run(
        drained(agent.astream(given, CONFIG, stream_mode="messages"))
    ),
}


@pytest.fixture(params=WAYS)
def run(request):
    return WAYS[request.param]


def recorded(memory, session="t"):
    """The responses of a session, oldest first."""
    return memory.responses.list(conversation=session, limit=100)[::-1]


@pytest.mark.proves("B53")
def test_every_answer_is_a_response_with_its_fields(agent, run, memory):
    runner, _ = agent([ASK_TWO, "warm", "bye"], **ON)
    run(runner, user("weather?"))
    run(runner, user("thanks"))
    asked, told, bye = recorded(memory)
    assert [call["args"] for call in asked.tool_calls] == [{"city": "Lisbon"}, {"city": "Rome"}]
    assert [entry["content"] for entry in asked.input] == ["weather?"]
    assert [entry["output"] for entry in told.input] == ["Lisbon: 21", "Rome: 21"]
    assert (told.text, bye.text) == ("warm", "bye")
    assert [entry["content"] for entry in bye.input] == ["thanks"]
    assert [one.previous_response_id for one in (asked, told, bye)] == [None, asked.id, told.id]
    for one in (asked, told, bye):
        assert (one.model, one.status, one.conversation) == ("gpt-5", "completed", "t")
        assert one.created_at is not None


@pytest.mark.proves("B53")
def test_the_tokens_are_the_models_own(agent, memory):
    usage = {"prompt_tokens": 70, "completion_tokens": 30, "total_tokens": 100}
    runner, _ = agent([{"content": "hello", "usage": usage}] * 2, **ON)
    runner.invoke(user("hi"), CONFIG)
    runner.invoke(user("hi again"), CONFIG)
    total = memory.responses.usage(by="model")["gpt-5"]
    assert (total.responses, total.input_tokens, total.output_tokens) == (2, 140, 60)


def test_its_id_is_the_messages_so_that_feedback_finds_it(agent, memory):
    runner, _ = agent(["hello"], **ON)
    answer = runner.invoke(user("hi"), CONFIG)["messages"][-1]
    memory.feedback.add(answer.id, rating="positive")
    assert memory.responses.get(answer.id).text == "hello"


def test_off_unless_asked_for(agent, memory):
    runner, _ = agent(["hello"])
    runner.invoke(user("hi"), CONFIG)
    assert recorded(memory) == []


def test_it_belongs_to_the_user_of_the_run(agent, memory):
    runner, _ = agent(["hello"], **ON)
    runner.invoke(user("hi"), {"configurable": {"thread_id": "t", "user_id": "ada"}})
    (one,) = memory.user("ada").responses.list()
    assert (one.user, one.text) == ("ada", "hello")


def test_a_failed_call_is_none_and_its_retry_is_one(agent, memory):
    runner, _ = agent([400, "hello"], **ON)
    with pytest.raises(Exception, match="Bad request"):
        runner.invoke(user("hi", id="u"), CONFIG)
    assert recorded(memory) == []
    runner.invoke(user("hi", id="u"), CONFIG)
    assert [one.text for one in recorded(memory)] == ["hello"]


def test_a_run_that_is_resumed_records_nothing_twice(served, memory, agent):
    review = HumanInTheLoopMiddleware(interrupt_on={"weather": True})
    runner, _ = agent([ASK, "warm"], middleware=[review], checkpointer=InMemorySaver(), **ON)
    runner.invoke(user("weather?"), CONFIG)
    assert len(recorded(memory)) == 1
    runner.invoke(Command(resume={"decisions": [{"type": "approve"}]}), CONFIG)
    asked, told = recorded(memory)
    assert told.previous_response_id == asked.id


def test_an_answer_that_another_middleware_refused_still_cost_tokens(agent, memory, chat):
    class Twice(AgentMiddleware):
        def wrap_model_call(self, request, handler):
            handler(request)
            return handler(request)

    runner, _ = agent(["no", "yes"], middleware=[Twice()], **ON)
    runner.invoke(user("hi"), CONFIG)
    assert [item.text for item in chat.items()] == ["hi", "yes"]
    assert [one.text for one in recorded(memory)] == ["no", "yes"]


def test_answers_of_a_cache_share_an_id_and_are_a_response_each(memory):
    ours = ThreadkeepMiddleware(memory, record_responses=True, window={"max_messages": 1})
    runner = create_agent(Echo(cache=InMemoryCache()), middleware=[ours])
    ids = set()
    for thread in ("t", "t", "other"):
        state = runner.invoke(user("hi"), {"configurable": {"thread_id": thread}})
        ids.add(state["messages"][-1].id)
    assert len(ids) == 1
    assert len(recorded(memory)) == 2
    assert len(recorded(memory, "other")) == 1
    assert memory.responses.get(ids.pop()).conversation == "t"


def test_what_cannot_be_recorded_is_logged_and_stops_no_run(
    agent, run, memory, chat, monkeypatch, caplog
):
    def fails(*_):
        raise BackendError("the disk is full")

    monkeypatch.setattr(store, "add", fails)
    runner, _ = agent(["hello"], **ON)
    with caplog.at_level(logging.ERROR, "threadkeep"):
        run(runner, user("hi"))
    assert [item.text for item in chat.items()] == ["hi", "hello"]
    assert "session 't' was not recorded as a response (BackendError: the disk is full)" in (
        caplog.text
    )
