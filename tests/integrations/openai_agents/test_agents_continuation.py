"""State of other frameworks' models goes back to its writer through the SDK's own models."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from agents import Agent, Runner
from agents.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agents.models.openai_responses import OpenAIResponsesModel
from openai import AsyncOpenAI

from openai_agents_threadkeep import ThreadkeepSession
from threadkeep.errors import ConfigError
from threadkeep.testing import ScriptedModel, assert_valid

FUNCTION = {"name": "f", "arguments": '{"a": 1}'}
CALL = {"id": "c1", "type": "function", "function": FUNCTION}
SIGNED = {**CALL, "extra_content": {"google": {"thought_signature": "S"}}}
ANSWERS: dict[str, dict[str, Any]] = {
    "deepseek-reasoner": {"tool_calls": [CALL], "reasoning_content": "thought"},
    "gemini-3-pro": {"tool_calls": [SIGNED]},
}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "r"}


PROFILES: dict[str, Any] = {"deepseek-reasoner": "deepseek", "gemini-3-pro": "gemini"}


def request_of(memory, model_class, name, profile=None):
    """The next request of an agent of the SDK in a session that plain dicts wrote."""

    async def run():
        with ScriptedModel(["done"], validate=False) as server:
            async with AsyncOpenAI(base_url=server.base_url, api_key="none") as client:
                agent = Agent("guide", model=model_class(name, client))
                session = ThreadkeepSession("chat", memory, profile=profile)
                await Runner.run(agent, "next", session=session)
        return server.requests[-1]

    return asyncio.run(run())


@pytest.fixture(params=sorted(ANSWERS))
def writer(request, memory):
    """The name of a model that wrote a step of the session."""
    answer = {"role": "assistant", "content": None, **ANSWERS[request.param]}
    memory.session("chat").add("q", answer, RESULT, {"role": "assistant", "content": "a"})
    return request.param


def test_a_chat_model_of_the_writer_gets_its_state_back(memory, writer):
    profile = PROFILES[writer]
    messages = request_of(memory, OpenAIChatCompletionsModel, writer, profile)["messages"]
    asked = next(message for message in messages if message.get("tool_calls"))
    expected = ANSWERS[writer]
    assert asked.get("reasoning_content") == expected.get("reasoning_content")
    extra = asked["tool_calls"][0].get("extra_content")
    assert extra == expected["tool_calls"][0].get("extra_content")
    assert_valid(messages, "openai", profile=profile)


@pytest.mark.parametrize("has_profile", [True, False], ids=["wrong profile", "no profile"])
def test_a_chat_model_of_another_provider_gets_none(memory, writer, has_profile):
    profile = PROFILES[writer] if has_profile else None
    messages = request_of(memory, OpenAIChatCompletionsModel, "gpt-5", profile)["messages"]
    assert_valid(messages, "openai", profile="openai")
    assert "thought" not in str(messages)
    assert "'S'" not in str(messages)


@pytest.mark.parametrize("has_profile", [True, False], ids=["wrong profile", "no profile"])
def test_the_responses_api_gets_none(memory, writer, has_profile):
    profile = PROFILES[writer] if has_profile else None
    entries = request_of(memory, OpenAIResponsesModel, "gpt-5", profile)["input"]
    assert_valid(entries, "responses")
    assert [entry.get("type", "message") for entry in entries] == [
        "message", "function_call", "function_call_output", "message", "message",
    ]  # fmt: skip
    assert not any("provider_data" in entry for entry in entries)


def test_an_unknown_profile_is_refused(memory):
    with pytest.raises(ConfigError, match="did you mean 'gemini'"):
        ThreadkeepSession("chat", memory, profile=cast(Any, "gemni"))
