"""Stores, providers on them, and agents whose model says what a script tells it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from agent_framework import (
    Agent,
    AgentSession,
    BaseChatClient,
    ChatMiddlewareLayer,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    Message,
)

import threadkeep
from agent_framework_threadkeep import ThreadkeepHistoryProvider


@pytest.fixture(params=["memory", "sqlite"])
def memory(request, tmp_path):
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/chat.db"
    with threadkeep.connect(url) as memory:
        yield memory


@pytest.fixture
def history(memory):
    return ThreadkeepHistoryProvider(memory)


class ScriptedClient(FunctionInvocationLayer, ChatMiddlewareLayer, BaseChatClient):
    """A model that says its replies in turn, and keeps what it was asked."""

    def __init__(self, *replies: Any) -> None:
        super().__init__()
        self.replies = list(replies)
        self.asked: list[list[Message]] = []
        self.options: list[Any] = []

    def _inner_get_response(self, *, messages, stream, options, **kwargs):
        self.asked.append(list(messages))
        self.options.append(dict(options))
        if stream:
            return self._build_response_stream(self._stream())
        return self._answer()

    async def _answer(self):
        await asyncio.sleep(0)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def _stream(self):
        answer = await self._answer()
        for message in answer.messages:
            yield ChatResponseUpdate(
                role="assistant", contents=message.contents, response_id=answer.response_id
            )


def said(text: str, **fields: Any) -> ChatResponse:
    return ChatResponse(messages=[Message("assistant", [text])], model="scripted-1", **fields)


def called(*cities: str, **fields: Any) -> ChatResponse:
    calls = [
        Content.from_function_call(f"call_{city}", "weather", arguments={"city": city})
        for city in cities
    ]
    return ChatResponse(messages=[Message("assistant", calls)], **fields)


def weather(city: str) -> str:
    """How the weather is."""
    return f"{city}: 21 degrees"


def make_agent(client, *providers, **options):
    return Agent(
        client, name="guide", tools=[weather], context_providers=list(providers), **options
    )


def ask(agent, text, session="chat", **state):
    session = AgentSession(session_id=session) if isinstance(session, str) else session
    session.state.update(state)
    return asyncio.run(agent.run(text, session=session))


def dumps(messages):
    return [message.to_dict() for message in messages]
