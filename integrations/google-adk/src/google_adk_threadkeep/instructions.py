"""`instructions`: an agent's instructions, followed by what long-term memory knows of the user."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from google.adk.agents.readonly_context import ReadonlyContext

from google_adk_threadkeep.session_ids import stored_session_id
from threadkeep import Memory
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.injection import parse_injection
from threadkeep.adapters.recall_cache import RecallCache
from threadkeep.adapters.shared import shared_memory

Base: TypeAlias = str | Callable[[ReadonlyContext], str | Awaitable[str]]

_TURNS = 128


@strict_arguments
def instructions(
    memory: Memory | str | None = None,
    *,
    base: Base = "",
    max_tokens: int = 800,
    recall: bool = False,
) -> Callable[[ReadonlyContext], Awaitable[str]]:
    """For `Agent(instruction=)`: the agent's own instructions, followed by long-term memory.

    Memory is that of the run's user, and read before each model call; of earlier conversations,
    once in a run. It goes into the prompt only and is never stored in a session.

    Args:
        memory: a `Memory`, or a URL, of which one store is opened in a process; `None` = the store
            of `threadkeep.connect()`. No I/O yet.
        base: the agent's own instructions, or a callable that returns them, as in ADK. State is
            not put in place of `{names}` in it.
        max_tokens: the token budget of the memory text.
        recall: also search earlier conversations for the user's message. The text then changes
            with each question, which defeats prompt caches from there on.

    Raises:
        ConfigError: the URL or `max_tokens` is not valid.
    """
    store = shared_memory(memory)
    parse_injection({"max_tokens": max_tokens, "recall": recall})  # validates both options

    @functools.lru_cache(_TURNS)
    def cache_of(invocation: str) -> RecallCache:
        return RecallCache()

    async def render(context: ReadonlyContext) -> str:
        base_text = base(context) if callable(base) else base
        own_text = await base_text if inspect.isawaitable(base_text) else base_text
        adk_session = context.session
        id = stored_session_id(adk_session.app_name, adk_session.user_id, adk_session.id)
        chat = store.session(id, user=adk_session.user_id, agent=context.agent_name)
        if query := _query(context) if recall else "":
            cache, turn = cache_of(context.invocation_id), (id, context.agent_name)
            memory_text = await store.to_thread(cache.get, chat.context, query, turn, max_tokens)
        else:
            memory_text = await store.to_thread(chat.context, max_tokens=max_tokens)
        return "\n\n".join(section for section in (own_text, memory_text) if section)

    return render


def _query(context: ReadonlyContext) -> str:
    parts = (context.user_content.parts if context.user_content else None) or ()
    return "\n".join(part.text for part in parts if part.text)
