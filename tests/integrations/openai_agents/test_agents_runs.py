"""Real runs of the SDK on a `ThreadkeepSession`, over scripted models."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import agents
import httpx2
import pytest
from agents import ModelRetrySettings, ModelSettings, RunConfig, Runner, SessionSettings
from agents.extensions.memory import EncryptedSession
from agents.memory import OpenAIResponsesCompactionSession
from agents.run_internal.session_persistence import rewind_session_items
from openai import AsyncOpenAI

from openai_agents_threadkeep import ThreadkeepSession
from tests.integrations.openai_agents.conftest import scripted
from threadkeep.testing import assert_valid

CALL = {"tool_calls": [{"name": "weather", "args": {"city": "Oslo"}}]}
TWO_CALLS = {"tool_calls": [{"name": "weather", "args": {"city": c}} for c in ("Oslo", "Rome")]}


def run(awaitable):
    return asyncio.run(awaitable)


def texts(memory):
    return [item.text for item in memory.session("chat").items() if item.text]


def test_a_conversation_goes_on_after_a_restart(assistant, memory):
    async def turn(replies, said):
        async with assistant(replies) as (agent, model):
            session = ThreadkeepSession("chat", memory)
            result = await Runner.run(agent, said, session=session)
            return result.final_output, model.requests

    async def story():
        answer, _ = await turn([TWO_CALLS, "21 and 30"], "Weather in Oslo and Rome?")
        assert answer == "21 and 30"
        answer, requests = await turn(["Rome"], "Which is warmer?")
        assert answer == "Rome"
        assert "Oslo: 21 degrees" in json.dumps(requests[0])

    run(story())
    assert texts(memory) == [
        "Weather in Oslo and Rome?",
        "Oslo: 21 degrees",
        "Rome: 21 degrees",
        "21 and 30",
        "Which is warmer?",
        "Rome",
    ]
    window = memory.session("chat").window()
    assert_valid(window.to_openai(), "openai")
    assert_valid(window.to_responses(), "responses")
    assert_valid(window.to_anthropic(), "anthropic")


def test_a_streamed_run_keeps_the_same(assistant, memory, session):
    async def story():
        async with assistant([CALL, "21"]) as (agent, _):
            result = Runner.run_streamed(agent, "Weather in Oslo?", session=session)
            async for _ in result.stream_events():
                pass

    run(story())
    assert texts(memory) == ["Weather in Oslo?", "Oslo: 21 degrees", "21"]


def test_chat_models_give_every_item_one_id_and_none_is_lost(memory, session):
    async def story():
        async with scripted("chat")([CALL, "21", CALL, "again 21"]) as (agent, _):
            await Runner.run(agent, "Oslo?", session=session)
            await Runner.run(agent, "Oslo?", session=session)
        items = await session.get_items()
        fakes = [item for item in items if item.get("id") == "__fake_id__"]
        assert len(items) == 8
        assert len(fakes) == 4

    run(story())


def test_two_runs_on_one_session_at_once_lose_nothing(assistant, memory, session):
    def answer(request):
        said = json.dumps(request)
        return CALL if "degrees" not in said else "done"

    async def story():
        async with assistant(answer) as (agent, _):
            questions = [f"question {n}" for n in range(4)]
            await asyncio.gather(*(Runner.run(agent, q, session=session) for q in questions))
            items = await session.get_items()
            kinds = [item.get("type", "message") for item in items]
            assert sorted({q["content"] for q in items if q.get("role") == "user"}) == questions
            assert kinds.count("function_call") == kinds.count("function_call_output")
            assert sum(item.get("role") == "assistant" for item in items) == 4

    run(story())
    for shape, provider in (("to_openai", "openai"), ("to_responses", "responses")):
        assert_valid(getattr(memory.session("chat").window(), shape)(), provider)


def test_a_model_that_fails_leaves_what_the_user_said(assistant, memory, session):
    async def story():
        async with assistant([400]) as (agent, _):
            with pytest.raises(Exception, match="Bad request"):
                await Runner.run(agent, "Hello?", session=session)

    run(story())
    assert texts(memory) == ["Hello?"]


def test_a_crash_before_the_last_write_loses_only_what_was_never_handed_over(
    assistant, memory, session
):
    async def story():
        async with assistant([CALL, 400]) as (agent, _):
            with pytest.raises(Exception, match="Bad request"):
                await Runner.run(agent, "Oslo?", session=session)
        async with assistant(["and on"]) as (agent, model):
            await Runner.run(agent, "Still there?", session=session)
            assert "degrees" in json.dumps(model.requests)

    run(story())
    assert texts(memory) == ["Oslo?", "Oslo: 21 degrees", "Still there?", "and on"]


def test_the_limit_of_a_run_counts_items_and_leaves_no_orphan(assistant, session):
    async def story():
        async with assistant([CALL, "21", "ok"]) as (agent, model):
            await Runner.run(agent, "Oslo?", session=session)
            config = RunConfig(session_settings=SessionSettings(limit=2))
            await Runner.run(agent, "Thanks", session=session, run_config=config)
            assert "Oslo?" not in json.dumps(model.requests[-1])

    run(story())


def test_a_window_keeps_the_prompt_small_and_valid_and_the_store_whole(assistant, memory):
    async def story():
        session = ThreadkeepSession("chat", memory, window={"max_messages": 6})
        async with assistant([CALL, "21"] * 10) as (agent, model):
            for number in range(10):
                await Runner.run(agent, f"Oslo {number}?", session=session)
            sizes = [len(r.get("input") or r.get("messages")) for r in model.requests]
            assert max(sizes) <= 10
            assert len(memory.session("chat").items()) == 40

    run(story())


def test_the_user_of_the_runs_context_owns_the_session(assistant, memory, session):
    async def story():
        async with assistant(["hi"]) as (agent, _):
            await Runner.run(agent, "hello", session=session, context={"user_id": "ada"})

    run(story())
    assert memory.session("chat").info().user == "ada"


def test_a_retry_rewinds_exactly_what_it_added(memory, session):
    before: Any = [{"content": "first", "role": "user"}]
    added: Any = [
        {
            "type": "function_call",
            "id": "__fake_id__",
            "call_id": "c",
            "name": "n",
            "arguments": "",
        },
        {"type": "function_call_output", "call_id": "c", "output": "o"},
    ]

    async def story():
        await session.add_items([*before, *added])
        await rewind_session_items(session, added)
        assert await session.get_items() == before
        await rewind_session_items(session, added)  # whose tail is not there: nothing is touched
        assert await session.get_items() == before

    run(story())


def test_a_paused_approval_goes_on_in_another_process(assistant, memory):
    @agents.function_tool(needs_approval=True)
    def delete(name: str) -> str:
        """Delete something."""
        return f"deleted {name}"

    asked = {"tool_calls": [{"name": "delete", "args": {"name": "a"}}]}

    async def story():
        async with assistant([asked], tools=[delete]) as (agent, _):
            session = ThreadkeepSession("chat", memory)
            result = await Runner.run(agent, "Delete a", session=session)
            paused = result.to_state().to_json()
        async with assistant(["done"], tools=[delete]) as (agent, _):
            state = await agents.RunState.from_json(agent, paused)
            for interruption in state.get_interruptions():
                state.approve(interruption)
            session = ThreadkeepSession("chat", memory)
            assert (await Runner.run(agent, state, session=session)).final_output == "done"

    run(story())
    items = memory.session("chat").items()
    assert [item.text for item in items if item.text] == ["Delete a", "deleted a", "done"]
    assert_valid(memory.session("chat").window().to_responses(), "responses")


@pytest.mark.parametrize("window", [None, {"max_messages": 4}], ids=["whole", "window"])
def test_under_the_encrypted_session_nothing_readable_is_stored(assistant, memory, window):
    async def story():
        inner: Any = ThreadkeepSession("chat", memory, window=window)
        session = EncryptedSession("chat", inner, "a key of high entropy", ttl=3600)
        async with assistant([CALL, "21", "You asked about Oslo"]) as (agent, model):
            await Runner.run(agent, "Oslo?", session=session, context={"user_id": "ada"})
            await Runner.run(agent, "What?", session=session, context={"user_id": "ada"})
            assert "degrees" in json.dumps(model.requests[-1])
        popped = await session.pop_item()
        assert "You asked about Oslo" in json.dumps(popped)

    run(story())
    stored = memory.session("chat").items()
    assert len(stored) == 5
    assert "Oslo" not in repr(stored)
    assert memory.session("chat").info().user == "ada"


def test_under_the_compaction_session_history_becomes_its_summary(memory, session):
    compacted = {
        "id": "cmp_1",
        "object": "response.compaction",
        "created_at": 1,
        "output": [{"type": "compaction", "id": "cmp_2", "encrypted_content": "short"}],
        "usage": {
            "input_tokens": 1,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 1,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 2,
        },
    }

    async def story():
        transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json=compacted))
        http = httpx2.AsyncClient(transport=transport)
        async with AsyncOpenAI(api_key="none", http_client=http) as client:
            outer = OpenAIResponsesCompactionSession("chat", session, client=client)
            await outer.add_items([{"role": "user", "content": f"m{n}"} for n in range(4)])
            await outer.run_compaction({"force": True, "compaction_mode": "input"})
            assert await session.get_items() == compacted["output"]

    run(story())


def test_model_retries_do_not_store_the_input_twice(assistant, memory, session):
    settings = ModelSettings(retry=ModelRetrySettings(max_retries=2))

    async def story():
        async with assistant([503, "hello"], model_settings=settings) as (agent, _):
            await Runner.run(agent, "hi", session=session)

    run(story())
    assert texts(memory) == ["hi", "hello"]
