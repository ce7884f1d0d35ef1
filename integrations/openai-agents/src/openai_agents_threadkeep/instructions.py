"""`instructions`: an agent's instructions, followed by what long-term memory knows of the user."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from agents import Agent

from openai_agents_threadkeep.identity import UserId, Wrapper, user_of_run
from threadkeep import Memory
from threadkeep.adapters import identity
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.injection import parse_injection, with_summary
from threadkeep.adapters.recall_cache import RecallCache
from threadkeep.adapters.shared import shared_memory
from threadkeep.longterm.context import Context

Base = str | Callable[[Wrapper, Agent[Any]], str | Awaitable[str]]


@strict_arguments
def instructions(
    memory: Memory | str | None = None,
    *,
    base: Base = "",
    session_id: identity.SessionId | None = None,
    user: UserId = None,
    max_tokens: int = 800,
    recall: bool = False,
    summary: bool | None = None,
    user_id: UserId = None,
) -> Callable[[Wrapper, Agent[Any]], Awaitable[str]]:
    """For `Agent(instructions=)`: the agent's own instructions, followed by long-term memory.

    Memory is read before each model call; of earlier conversations, once in a run for a question.
    It goes into the prompt only and is never stored in a session.

    Args:
        memory: a `Memory`, or a URL, of which one store is opened in a process; `None` = the store
            of `threadkeep.connect()`. No I/O yet.
        base: the agent's own instructions, or a callable that returns them, as in the SDK.
        session_id: the session whose summary and instructions are included; the fallback is the
            `session_id` of the run's context.
        user: the user, a `str`, an `int` or a `UUID`; or a callable that gets the run's
            context, or a `ContextVar`. The run's `context.user_id` takes precedence over a plain
            id.
        max_tokens: the token budget of the memory text.
        recall: also search earlier conversations for the user's message. The text then changes
            with each question, which defeats prompt caches from there on.
        summary: `True` makes sure that the session's summary is told: the Memory must have a model,
            which writes it in the background. `False` never tells it; `None` = where there is one.
        user_id: another name for `user`.

    Raises:
        ConfigError: an id, the URL, `summary` or `max_tokens` is not valid; a run raises it too if
            its own user id is not valid.
    """
    store = shared_memory(memory)
    user_id_source = identity.user_source(user, user_id)
    fixed_session = None if session_id is None else identity.session_id_text(session_id)
    options = parse_injection({"max_tokens": max_tokens, "recall": recall})  # validates both
    with_summary(options, summary, store)
    recall_caches: WeakKeyDictionary[Wrapper, RecallCache] = WeakKeyDictionary()

    async def render(context: Wrapper, agent: Agent[Any]) -> str:
        base_text = base(context, agent) if callable(base) else base
        own_text = await base_text if inspect.isawaitable(base_text) else base_text
        owner = user_of_run(user_id_source, context)
        session = fixed_session or _session_of(context.context)
        read_context = _context_reader(store, owner, session, agent.name, summary is not False)
        if read_context is None:
            return own_text
        query = _query(context.turn_input) if recall else ""
        if query:
            cache = recall_caches.setdefault(context, RecallCache())
            turn = (owner, session, agent.name)
            memory_context = await store.to_thread(cache.get, read_context, query, turn, max_tokens)
        else:
            memory_context = await store.to_thread(read_context, max_tokens=max_tokens)
        return "\n\n".join(section for section in (own_text, memory_context) if section)

    return render


def _context_reader(
    memory: Memory, user: str | None, session: str | None, agent: str, summary: bool
) -> Callable[..., Context] | None:
    """The `context` method of the run's session, or of its user; `None` if it has neither."""
    if session is not None:
        chat = memory.session(session, user=user, agent=agent)
        return partial(chat.context, summary=summary)
    return None if user is None else memory.user(user).context


def _session_of(context: Any) -> str | None:
    location = "session_id of the run's context"
    session = identity.read_field(context, "session_id", location)
    return None if session in (None, "") else identity.session_id_text(session, location)


def _query(items: Sequence[Any]) -> str:
    """The text of the newest user message."""
    for item in reversed(items):
        if item.get("role") == "user":
            return _text(item.get("content"))
    return ""


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    part_texts = (part.get("text") for part in content or () if isinstance(part, dict))
    return "\n".join(text for text in part_texts if isinstance(text, str))
