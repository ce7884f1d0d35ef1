"""`memory_tools`: what an agent of LlamaIndex may do with the memory of whoever it speaks with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llama_index.core.tools import BaseTool, FunctionTool

from llama_index.memory.threadkeep.memory import ThreadkeepMemory
from threadkeep import Memory
from threadkeep.adapters.identity import UserId, optional_user_id
from threadkeep.adapters.memory_tools import (
    FORGET,
    SAVE,
    SEARCH,
    MemoryTools,
)
from threadkeep.adapters.shared import shared
from threadkeep.errors import ConfigError


def memory_tools(
    memory: ThreadkeepMemory | Memory | str,
    session_id: str | None = None,
    user_id: UserId | None = None,
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
        ConfigError: the conversation is not named, the URL is not understood, or the user id is
            none.
    """
    owner = optional_user_id(user_id, "user_id")
    if isinstance(memory, ThreadkeepMemory):
        chat = memory.chat
    elif session_id is None:
        raise ConfigError("pass session_id= beside a Memory or a URL, or pass a ThreadkeepMemory")
    else:
        chat = shared(memory).session(session_id, user=owner)
    held = MemoryTools(chat, delete=delete)
    return [
        FunctionTool.from_defaults(verb, async_fn=twin, name=name, description=says)
        for name, verb, twin, says in (
            ("save_memory", held.save, held.asave, SAVE),
            ("search_memory", held.search, held.asearch, SEARCH),
            ("forget_memory", held.forget, held.aforget, FORGET),
        )
    ]
