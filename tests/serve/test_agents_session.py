"""The Agents SDK's own `OpenAIConversationsSession`, unchanged, against a server of ours."""

from __future__ import annotations

import asyncio

import pytest
from agents import Agent, OpenAIResponsesModel, RunConfig, Runner
from agents.memory import OpenAIConversationsSession
from openai import AsyncOpenAI

from tests.serve.running import door as open_door
from threadkeep.testing import ScriptedModel


async def exercised(client, model_url):
    session = OpenAIConversationsSession(openai_client=client)
    await session.add_items([{"role": "user", "content": f"line {n}"} for n in range(45)])
    items = await session.get_items()
    assert [item["content"][0]["text"] for item in items] == [f"line {n}" for n in range(45)]
    assert [item["content"][0]["text"] for item in await session.get_items(limit=2)] == [
        "line 43",
        "line 44",
    ]
    popped = await session.pop_item()
    assert popped["content"][0]["text"] == "line 44"
    assert len(await session.get_items()) == 44
    await session.clear_session()
    assert await session.get_items() == []
    async with AsyncOpenAI(base_url=model_url, api_key="none") as upstream:
        agent = Agent("one", model=OpenAIResponsesModel("scripted", upstream))
        for _ in range(2):
            await Runner.run(
                agent, "Hi", session=session, run_config=RunConfig(tracing_disabled=True)
            )
    return await session.get_items()


@pytest.mark.proves("D17")
def test_the_conversations_session(stored_memory, tmp_path):
    replies = ["Hello", "Hello again"]
    with open_door(stored_memory, tmp_path) as door, ScriptedModel(replies) as model:

        async def run():
            async with AsyncOpenAI(
                base_url=f"{door.url}/v1", api_key=door.ada, max_retries=0
            ) as client:
                return await exercised(client, model.base_url)

        items = asyncio.run(run())
    assert [item["role"] for item in items] == ["user", "assistant"] * 2
    assert len(model.requests[1]["input"]) == 3
