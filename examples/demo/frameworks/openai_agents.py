"""A run of the OpenAI Agents SDK: `python -m examples.demo.frameworks.openai_agents STORE ...`."""

from __future__ import annotations

import asyncio
import sys

from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI

from examples.demo import script
from examples.demo.frameworks import turns
from openai_agents_threadkeep import ThreadkeepSession


def ask(turn: turns.Turn) -> None:
    """Go on with what the other two have stored."""
    set_tracing_disabled(True)
    asyncio.run(_run(turn))


async def _run(turn: turns.Turn) -> None:
    async with AsyncOpenAI(**turn.endpoint) as client:
        model = OpenAIChatCompletionsModel(turn.model.name, client)
        agent = Agent("guide", model=model, tools=[function_tool(turns.weather)])
        session = ThreadkeepSession(turn.session, turn.memory, user=turn.user)
        await Runner.run(agent, turn.question, session=session)


if __name__ == "__main__":
    sys.exit(turns.take("Agents SDK", ask, script.BY_AGENTS, sys.argv[1:]))
