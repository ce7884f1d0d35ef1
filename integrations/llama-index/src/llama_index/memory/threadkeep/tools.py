"""`memory_tools`: what an agent of LlamaIndex may do with the memory of whoever it speaks with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llama_index.core.tools import BaseTool, FunctionTool

from llama_index.memory.threadkeep.memory import ThreadkeepMemory
from threadkeep import Memory
from threadkeep.errors import ConfigError
from threadkeep.longterm.tools import FORGET, SAVE, SEARCH, MemoryTools
from threadkeep.sharing import shared


def memory_tools(
    memory: ThreadkeepMemory | Memory | str,
    session_id: str | None = None,
    user_id: str | None = None,
    *,
    delete: bool = False,
) -> list[BaseTool | Callable[..., Any]]:
    """`save_memory`, `search_memory` and `forget_memory`, for `tools=` of an agent.

    Whose memory it is, is decided here and never by the model. What the user did not say in the
    session is saved in quarantine, until `facts.update(id, status="active")` approves it.

    Args:
        memory: the `ThreadkeepMemory` of the conversation; or a `Memory` or a URL, with the ids.
        session_id: the conversation, if `memory` does not say it.
        user_id: whose it is, likewise.
        delete: have `forget_memory` remove facts for good, instead of hiding them.

    Raises:
        ConfigError: the conversation is not named, or the URL is not understood.
    """
    if isinstance(memory, ThreadkeepMemory):
        chat = memory.chat
    elif session_id is None:
        raise ConfigError("pass session_id= beside a Memory or a URL, or pass a ThreadkeepMemory")
    else:
        chat = shared(memory).session(session_id, user=user_id)
    held = MemoryTools(chat, delete=delete)

    def save_memory(text: str) -> str:
        return held.save(text)

    async def asave_memory(text: str) -> str:
        return await held.asave(text)

    def search_memory(query: str) -> str:
        return held.search(query)

    async def asearch_memory(query: str) -> str:
        return await held.asearch(query)

    def forget_memory(id: str) -> str:
        return held.forget(id)

    async def aforget_memory(id: str) -> str:
        return await held.aforget(id)

    made = (
        (save_memory, asave_memory, SAVE),
        (search_memory, asearch_memory, SEARCH),
        (forget_memory, aforget_memory, FORGET),
    )
    return [
        FunctionTool.from_defaults(verb, async_fn=twin, name=verb.__name__, description=says)
        for verb, twin, says in made
    ]
