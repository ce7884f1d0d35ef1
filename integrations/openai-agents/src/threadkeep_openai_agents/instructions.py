"""`instructions`: what an agent is told, with what long-term memory knows of the user below it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from agents import Agent

from threadkeep import Memory
from threadkeep.adapters import identity
from threadkeep.adapters.injection import injection
from threadkeep.adapters.shared import shared
from threadkeep.longterm.context import Context
from threadkeep_openai_agents.identity import UserId, Wrapper, user_of_run

Base = str | Callable[[Wrapper, Agent[Any]], str | Awaitable[str]]


def instructions(
    memory: Memory | str,
    base: Base = "",
    *,
    user_id: UserId = None,
    session_id: str | None = None,
    max_tokens: int = 800,
    recall: bool = False,
) -> Callable[[Wrapper, Agent[Any]], Awaitable[str]]:
    """For `Agent(instructions=)`: the agent's own instructions, and below them what is known.

    Read before each call of the model. What is known is told to the model alone: no session ever
    stores it.

    Args:
        memory: a `Memory`, or a URL; one store per URL is opened in a process. No I/O yet.
        base: the agent's own instructions, or what the SDK takes for a callable of them.
        user_id: who it is, a `str`, an `int` or a `UUID`; or a callable that gets the run's
            context, or a `ContextVar`. Before a plain id goes the `user_id` of the run's context.
        session_id: whose summary, and whose own instructions, are told too; else the
            `session_id` of the run's context.
        max_tokens: of what is known, at most.
        recall: look for what the user says in earlier conversations, too. The text then changes
            with each question, and no prompt cache holds beyond it.

    Raises:
        ConfigError: the URL or `max_tokens` is not understood, or an id is no user id; also when
            an agent is told, of an id that the run has.
    """
    opened = shared(memory)
    identity.check_source(user_id)
    injection({"max_tokens": max_tokens, "recall": recall})  # refuses what makes no sense

    async def told(context: Wrapper, agent: Agent[Any]) -> str:
        own = base(context, agent) if callable(base) else base
        text = await own if inspect.isawaitable(own) else own
        user = user_of_run(user_id, context)
        session = session_id or _session_of(context.context)
        query = _query(context.turn_input) if recall else None
        known = await _known(opened, user, session, agent.name, query, max_tokens)
        return "\n\n".join(part for part in (text, known) if part)

    return told


async def _known(
    memory: Memory, user: str | None, session: str | None, agent: str, query: str | None, most: int
) -> Context | None:
    if session is not None:
        chat = memory.session(session, user=user, agent=agent)
        return await chat.acontext(query, max_tokens=most)
    if user is not None:
        return await memory.user(user).acontext(query, max_tokens=most)
    return None


def _session_of(context: Any) -> str | None:
    session = identity.field(context, "session_id", "session_id of the run's context")
    return session if isinstance(session, str) and session else None


def _query(items: Sequence[Any]) -> str:
    """What the user said last."""
    for item in reversed(items):
        if item.get("role") == "user":
            return _text(item.get("content"))
    return ""


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = (part.get("text") for part in content or () if isinstance(part, dict))
    return "\n".join(text for text in parts if isinstance(text, str))
