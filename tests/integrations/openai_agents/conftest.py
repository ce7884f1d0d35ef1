"""A store, sessions on it, and agents whose model says what a script tells it."""

from __future__ import annotations

from contextlib import asynccontextmanager

import agents
import pytest
from agents.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agents.models.openai_responses import OpenAIResponsesModel
from openai import AsyncOpenAI

import threadkeep
from openai_agents_threadkeep import ThreadkeepSession
from threadkeep.testing import ScriptedModel

MODELS = {"responses": OpenAIResponsesModel, "chat": OpenAIChatCompletionsModel}


@pytest.fixture(autouse=True)
def untraced():
    agents.set_tracing_disabled(True)


@pytest.fixture
def memory(tmp_path):
    with threadkeep.connect(f"sqlite:///{tmp_path}/chat.db") as memory:
        yield memory


@pytest.fixture
def session(memory):
    return ThreadkeepSession("chat", memory)


@agents.function_tool
def weather(city: str) -> str:
    """How the weather is."""
    return f"{city}: 21 degrees"


@pytest.fixture(params=sorted(MODELS))
def api(request):
    return request.param


@pytest.fixture
def assistant(api):
    """`async with assistant(script) as (agent, model)`: over either of OpenAI's APIs."""
    return scripted(api)


def scripted(api):
    @asynccontextmanager
    async def make(replies, **options):
        with ScriptedModel(replies) as model:
            async with AsyncOpenAI(base_url=model.base_url, api_key="none") as client:
                told = MODELS[api](model="gpt-5", openai_client=client)
                options = {"name": "guide", "tools": [weather], **options}
                yield agents.Agent(model=told, **options), model

    return make
