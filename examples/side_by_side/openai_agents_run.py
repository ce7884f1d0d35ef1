"""A run of the OpenAI Agents SDK whose session survives a restart."""

from __future__ import annotations

from typing import Any


def with_threadkeep(agent: Any, question: str) -> str:
    """`ThreadkeepSession`; without a memory it uses the store of `connect()`."""
    from agents import Runner

    from openai_agents_threadkeep import ThreadkeepSession

    session = ThreadkeepSession("chat-42")
    return str(Runner.run_sync(agent, question, session=session).final_output)


def with_openai_agents(agent: Any, question: str) -> str:
    """The SDK's own `SQLiteSession`."""
    from agents import Runner, SQLiteSession

    session = SQLiteSession("chat-42", "chat.db")
    return str(Runner.run_sync(agent, question, session=session).final_output)
