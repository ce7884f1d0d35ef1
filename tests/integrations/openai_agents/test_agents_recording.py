"""`record_responses=True`: each answer is a response, if the run has the hooks of the session."""

from __future__ import annotations

import asyncio
import logging

import pytest
from agents import RunConfig, Runner

from openai_agents_threadkeep import RecordingHooks, ThreadkeepSession
from tests.integrations.openai_agents.conftest import scripted
from threadkeep.errors import BackendError
from threadkeep.responses import store

CALL = {"tool_calls": [{"name": "weather", "args": {"city": "Oslo"}}]}


async def whole(agent, said, **options):
    return await Runner.run(agent, said, **options)


async def streamed(agent, said, **options):
    result = Runner.run_streamed(agent, said, **options)
    async for _ in result.stream_events():
        pass
    return result


@pytest.fixture(params=[whole, streamed])
def run(request):
    return request.param


@pytest.fixture
def session(memory):
    return ThreadkeepSession("chat", memory, record_responses=True)


def recorded(memory):
    """The responses of the session, oldest first."""
    return memory.responses.list(conversation="chat", limit=100)[::-1]


@pytest.mark.proves("B53")
def test_every_answer_is_a_response_with_its_fields(assistant, run, memory, session):
    async def story():
        async with assistant([CALL, "21", "bye"]) as (agent, _):
            await run(agent, "Oslo?", session=session, hooks=session.hooks)
            await run(agent, "Thanks", session=session, hooks=session.hooks)

    asyncio.run(story())
    asked, told, bye = recorded(memory)
    assert asked.tool_calls[0]["args"] == {"city": "Oslo"}
    assert [entry["content"] for entry in asked.input] == ["Oslo?"]
    assert [entry["output"] for entry in told.input] == ["Oslo: 21 degrees"]
    assert [entry["content"] for entry in bye.input] == ["Thanks"]
    assert (told.text, bye.text) == ("21", "bye")
    assert [one.previous_response_id for one in (asked, told, bye)] == [None, asked.id, told.id]
    for one in (asked, told, bye):
        assert (one.model, one.status) == ("gpt-5", "completed")
        assert one.created_at is not None


@pytest.mark.proves("B53")
def test_the_tokens_are_those_of_the_run(assistant, memory, session):
    async def story():
        async with assistant([CALL, "21"]) as (agent, _):
            result = await Runner.run(agent, "Oslo?", session=session, hooks=session.hooks)
            return result.context_wrapper.usage

    usage = asyncio.run(story())
    total = memory.responses.usage(by="model")["gpt-5"]
    assert total.responses == usage.requests == 2
    assert total.input_tokens == usage.input_tokens > 0
    assert total.output_tokens == usage.output_tokens > 0


def test_its_id_is_the_providers(assistant, memory, session, api):
    async def story():
        async with assistant(["hello"]) as (agent, _):
            return await Runner.run(agent, "Hi", session=session, hooks=session.hooks)

    result = asyncio.run(story())
    (one,) = recorded(memory)
    assert one.id.startswith("resp_" if api == "responses" else "chatcmpl")
    if api == "responses":
        assert one.id == result.last_response_id


def test_an_id_that_a_provider_gives_twice_hides_no_answer(assistant, memory, session):
    async def story():
        for said in ("one", "one"):  # each server begins its ids anew
            async with assistant([said]) as (agent, _):
                await Runner.run(agent, "Hi", session=session, hooks=session.hooks)

    asyncio.run(story())
    first, second = recorded(memory)
    assert first.id != second.id == recorded(memory)[-1].id
    assert second.previous_response_id == first.id


def test_it_belongs_to_the_user_of_the_run(assistant, memory, session):
    async def story():
        async with assistant(["hello"]) as (agent, _):
            context = {"user_id": "ada"}
            await Runner.run(agent, "Hi", session=session, hooks=session.hooks, context=context)

    asyncio.run(story())
    (one,) = memory.user("ada").responses.list()
    assert (one.user, one.text, one.conversation) == ("ada", "hello", "chat")


def test_two_runs_at_once_keep_their_own_questions(memory, session):
    async def story():
        async with scripted("chat")(lambda request: str(request["messages"][-1])) as (agent, _):
            questions = [f"question {n}" for n in range(4)]
            await asyncio.gather(
                *(Runner.run(agent, q, session=session, hooks=session.hooks) for q in questions)
            )

    asyncio.run(story())
    for one in recorded(memory):
        assert one.input[-1]["content"] in one.text
    assert len(recorded(memory)) == 4


def test_off_unless_asked_for(assistant, memory):
    session = ThreadkeepSession("chat", memory)

    async def story():
        async with assistant(["hello"]) as (agent, _):
            await Runner.run(agent, "Hi", session=session, hooks=session.hooks)

    asyncio.run(story())
    assert not isinstance(session.hooks, RecordingHooks)
    assert recorded(memory) == []


def test_a_run_without_the_hooks_is_told_of(assistant, run, memory, session, caplog):
    async def story():
        async with assistant(["hello", "bye"]) as (agent, _):
            await run(agent, "Hi", session=session, hooks=session.hooks)
            assert "hooks=session.hooks" not in caplog.text
            await run(agent, "Hi", session=session)

    with caplog.at_level(logging.WARNING, "threadkeep"):
        asyncio.run(story())
    assert caplog.text.count("session 'chat': pass the run hooks=session.hooks") == 1


def test_hooks_of_ones_own_and_the_model_of_a_run(memory, session):
    seen = []

    class Mine(RecordingHooks):
        async def on_llm_end(self, context, agent, response):
            await super().on_llm_end(context, agent, response)
            seen.append(agent.name)

    async def story():
        async with scripted("responses")(["hello"]) as (agent, _):
            other = agent.clone(model="gpt-5-mini")
            config = RunConfig(model=agent.model)
            hooks = Mine(session, model="gpt-5")
            await Runner.run(other, "Hi", session=session, hooks=hooks, run_config=config)

    asyncio.run(story())
    assert seen == ["guide"]
    assert recorded(memory)[0].model == "gpt-5"


def test_what_cannot_be_recorded_is_logged_and_stops_no_run(
    assistant, run, memory, session, monkeypatch, caplog
):
    def fails(*_):
        raise BackendError("the disk is full")

    monkeypatch.setattr(store, "add", fails)

    async def story():
        async with assistant(["hello"]) as (agent, _):
            return await run(agent, "Hi", session=session, hooks=session.hooks)

    with caplog.at_level(logging.ERROR, "threadkeep"):
        assert asyncio.run(story()).final_output == "hello"
    assert len(memory.session("chat").items()) == 2
    assert "was not recorded as a response (BackendError: the disk is full)" in caplog.text
