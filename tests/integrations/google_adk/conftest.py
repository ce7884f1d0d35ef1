"""Stores, services on them, and agents whose model says what a script tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from google.adk.agents import Agent
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import Runner
from google.genai import types

import threadkeep
from google_adk_threadkeep import ThreadkeepSessionService

APP, USER = "guide", "ada"
WHO = {"app_name": APP, "user_id": USER}


@pytest.fixture(params=["memory", "sqlite"])
def memory(request, tmp_path):
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/chat.db"
    with threadkeep.connect(url) as memory:
        yield memory


@pytest.fixture
def service(memory):
    return ThreadkeepSessionService(memory)


class ScriptedLlm(BaseLlm):
    """A model that says its replies in turn, and keeps what it was asked."""

    model: str = "scripted"
    replies: list[Any]
    requests: list[LlmRequest]

    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        self.requests.append(llm_request)
        await asyncio.sleep(0)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        yield reply


def said(text: str, **fields: Any) -> LlmResponse:
    content = types.Content(role="model", parts=[types.Part(text=text)])
    return LlmResponse(content=content, model_version="scripted-1", **fields)


def called(*cities: str, **fields: Any) -> LlmResponse:
    parts = [
        types.Part(function_call=types.FunctionCall(name="weather", args={"city": city}))
        for city in cities
    ]
    return LlmResponse(content=types.Content(role="model", parts=parts), **fields)


def usage(
    prompt: int, answer: int, thoughts: int = 0
) -> types.GenerateContentResponseUsageMetadata:
    return types.GenerateContentResponseUsageMetadata(
        prompt_token_count=prompt,
        candidates_token_count=answer,
        thoughts_token_count=thoughts,
        total_token_count=prompt + answer + thoughts,
    )


def weather(city: str) -> dict[str, str]:
    """How the weather is."""
    return {"result": f"{city}: 21 degrees"}


def make_runner(service, replies, tools=(weather,), memory_service=None, **options):
    model = ScriptedLlm(replies=list(replies), requests=[])
    agent = Agent(name="guide", model=model, tools=list(tools), **options)
    runner = Runner(
        app_name=APP, agent=agent, session_service=service, memory_service=memory_service,
        auto_create_session=True,
    )  # fmt: skip
    return runner, model


async def ask(runner: Runner, text: str, session: str = "chat", user: str = USER):
    """The events of one turn."""
    content = types.Content(role="user", parts=[types.Part(text=text)])
    turn = runner.run_async(user_id=user, session_id=session, new_message=content)
    return [event async for event in turn]
