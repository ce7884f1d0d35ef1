"""Tools for agents: to save, search and forget memories, and to read on in a tool result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from pydantic_ai import FunctionToolset, RunContext
from pydantic_ai.messages import ModelMessage

from pydantic_ai_threadkeep.codec import to_items
from threadkeep import Item, Memory, Session
from threadkeep.adapters import read_more
from threadkeep.adapters.memory_tools import FORGET, SAVE, SEARCH, MemoryTools
from threadkeep.adapters.read_more import ReadMore
from threadkeep.errors import ConfigError

_RECENT: Final = 40
"""Messages among which the user's own words are looked for."""

SessionOf = Callable[[RunContext[Any]], Session | None]
Pages = Callable[[RunContext[Any]], ReadMore]


def memory_toolset(session_of: SessionOf, *, delete: bool = False) -> FunctionToolset[Any]:
    """`save_memory`, `search_memory` and `forget_memory`, for the user of each run.

    Args:
        session_of: the session of a run.
        delete: whether `forget_memory` deletes facts permanently, instead of hiding them.
    """

    def tools(context: RunContext[Any]) -> MemoryTools:
        run_session = session_of(context)
        if run_session is None:
            raise ConfigError("memory tools need a session: pass session_id=, or a conversation")
        return MemoryTools(run_session, delete=delete, said=prompts(context.messages))

    async def save_memory(context: RunContext[Any], text: str) -> str:
        return await tools(context).asave(text)

    async def search_memory(context: RunContext[Any], query: str) -> str:
        return await tools(context).asearch(query)

    async def forget_memory(context: RunContext[Any], id: str) -> str:
        return await tools(context).aforget(id)

    toolset = FunctionToolset[Any]()
    for function, text in ((save_memory, SAVE), (search_memory, SEARCH), (forget_memory, FORGET)):
        toolset.add_function(function, description=text)
    return toolset


def prompts(messages: Sequence[ModelMessage]) -> list[Item]:
    """What the user said in the last messages of a run, which are not stored before it ends."""
    return [
        item
        for message_index, message in enumerate(messages[-_RECENT:])
        for item in to_items(f"run-{message_index}", message)
        if item.role == "user"
    ]


def read_more_toolset(pages: Pages) -> FunctionToolset[Any]:
    """`read_more`, which shows what a window left out of a large tool result.

    Args:
        pages: reads the results of a run.
    """

    async def read(context: RunContext[Any], handle: str, start: int = 0) -> str:
        return await pages(context).aread(handle, start)

    toolset = FunctionToolset[Any]()
    toolset.add_function(read, name=read_more.NAME, description=read_more.DESCRIPTION)
    return toolset


def chat_of(
    memory: Memory, session: str | None, user: str | None, agent: str | None
) -> Session | None:
    """The session of a run; `None` if it has none."""
    return None if not session else memory.session(session, user=user, agent=agent or None)
