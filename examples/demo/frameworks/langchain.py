"""A turn of an agent of LangChain: `python -m examples.demo.frameworks.langchain STORE ...`."""

from __future__ import annotations

import sys

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from examples.demo import script
from examples.demo.frameworks import turns
from langchain_threadkeep import ThreadkeepMiddleware


def ask(turn: turns.Turn) -> None:
    """Begin the conversation, with a tool."""
    model = ChatOpenAI(model=turn.model.name, **turn.endpoint)
    agent = create_agent(
        model, [tool(turns.weather)], middleware=[ThreadkeepMiddleware(turn.memory)]
    )
    agent.invoke(
        {"messages": [{"role": "user", "content": turn.question}]},
        {"configurable": {"thread_id": turn.session, "user_id": turn.user}},
    )


if __name__ == "__main__":
    sys.exit(turns.take("LangChain", ask, script.BY_LANGCHAIN, sys.argv[1:]))
