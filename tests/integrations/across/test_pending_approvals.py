"""What waits for a human in a framework's own words is what the session says is pending."""

from __future__ import annotations

import asyncio
from typing import Any

import agents
import pytest
from agents import Agent, HostedMCPTool, Runner
from agents.models.openai_responses import OpenAIResponsesModel
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from openai import AsyncOpenAI

import threadkeep
from langchain_threadkeep import ThreadkeepMiddleware
from openai_agents_threadkeep import ThreadkeepSession
from tests.integrations.langchain.agents_beside import CONFIG, recorder
from threadkeep.testing import ScriptedModel

PAY_TWICE = {"tool_calls": [{"name": "pay", "args": {"sum": n}} for n in (3, 4)]}
MCP_REQUEST = {
    "type": "mcp_approval_request", "id": "mcpr_1", "server_label": "bank", "name": "transfer",
    "arguments": '{"sum": 5}',
}  # fmt: skip


@pytest.fixture
def memory():
    with threadkeep.connect("memory://") as memory:
        yield memory


def pending_of(memory, session="t"):
    return memory.session(session).pending_approvals()


def calls_of(memory, session="t"):
    return [(pending.tool, pending.arguments) for pending in pending_of(memory, session)]


@tool
def pay(sum: int) -> str:
    """Pay."""
    return f"paid {sum}"


def test_langgraph_waits_for_the_calls_that_are_pending(memory):
    calls: list[Any] = [{"name": "pay", "args": {"sum": n}, "id": f"c{n}"} for n in (3, 4)]
    chain: list[Any] = [
        HumanInTheLoopMiddleware(interrupt_on={"pay": True}),
        ThreadkeepMiddleware(memory),
    ]
    model = recorder(AIMessage("", tool_calls=calls), "done")
    agent = create_agent(model, [pay], middleware=chain, checkpointer=InMemorySaver())
    result: Any = agent.invoke({"messages": [{"role": "user", "content": "pay"}]}, CONFIG)
    asked = result["__interrupt__"][0].value["action_requests"]
    assert calls_of(memory) == [(request["name"], request["args"]) for request in asked]
    decisions = [{"type": "approve"}, {"type": "reject", "message": "too much"}]
    agent.invoke(Command(resume={"decisions": decisions}), CONFIG)
    assert pending_of(memory) == []


@agents.function_tool(name_override="pay", needs_approval=True)
def pay_in_sdk(sum: int) -> str:
    """Pay."""
    return f"paid {sum}"


async def interrupted_run(memory, reply, tools):
    """The interruptions of a run that stops for approval, and what is pending then and after."""
    agents.set_tracing_disabled(True)
    with ScriptedModel([reply, "done"]) as model:
        async with AsyncOpenAI(base_url=model.base_url, api_key="none") as client:
            chat_model = OpenAIResponsesModel(model="gpt-5", openai_client=client)
            agent = Agent("teller", model=chat_model, tools=tools)
            session = ThreadkeepSession("t", memory)
            result = await Runner.run(agent, "pay", session=session)
            before = pending_of(memory)
            state = result.to_state()
            for interruption in result.interruptions:
                state.approve(interruption)
            await Runner.run(agent, state, session=session)
    return result.interruptions, before, pending_of(memory)


def test_the_agents_sdk_waits_for_the_calls_that_are_pending(memory):
    interruptions, before, after = asyncio.run(interrupted_run(memory, PAY_TWICE, [pay_in_sdk]))
    raw_items: list[Any] = [interruption.raw_item for interruption in interruptions]
    assert [pending.id for pending in before] == [raw.call_id for raw in raw_items]
    assert [pending.arguments for pending in before] == [{"sum": 3}, {"sum": 4}]
    assert after == []


def test_the_agents_sdk_waits_for_the_mcp_requests_that_are_pending(memory):
    server: Any = {
        "type": "mcp", "server_label": "bank", "server_url": "https://bank.example",
        "require_approval": "always",
    }  # fmt: skip
    reply = {
        "id": "resp_1", "object": "response", "created_at": 0, "model": "gpt-5",
        "output": [MCP_REQUEST], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
    }  # fmt: skip
    interruptions, before, after = asyncio.run(
        interrupted_run(memory, reply, [HostedMCPTool(tool_config=server)])
    )
    raw_items: list[Any] = [interruption.raw_item for interruption in interruptions]
    assert [pending.id for pending in before] == [raw.id for raw in raw_items] == ["mcpr_1"]
    assert [(p.tool, p.arguments, p.server) for p in before] == [("transfer", {"sum": 5}, "bank")]
    assert after == []
