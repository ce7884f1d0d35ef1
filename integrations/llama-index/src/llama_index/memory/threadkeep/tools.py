"""`memory_tools`: memory tools for LlamaIndex agents."""

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
from threadkeep.adapters.shared import shared_memory
from threadkeep.errors import ConfigError


def memory_tools(
    memory: ThreadkeepMemory | Memory | str,
    session_id: str | None = None,
    user_id: UserId | None = None,
    *,
    delete: bool = False,
) -> list[BaseTool | Callable[..., Any]]:
    """`save_memory`, `search_memory` and `forget_memory`, for `tools=` of an agent.

    The application chooses the user, never the model. A fact that the user did not state in the
    session is quarantined until `facts.update(id, status="active")` approves it.

    Args:
        memory: the `ThreadkeepMemory` of the conversation; or a `Memory` or a URL, with the ids.
        session_id: the conversation, unless `memory` is a `ThreadkeepMemory`.
        user_id: its owner, likewise.
        delete: whether `forget_memory` deletes facts permanently, instead of hiding them.

    Raises:
        ConfigError: the session id is missing, or the URL or the user id is not valid.
    """
    owner = optional_user_id(user_id, "user_id")
    if isinstance(memory, ThreadkeepMemory):
        chat = memory.chat
    elif session_id is None:
        raise ConfigError("pass session_id= beside a Memory or a URL, or pass a ThreadkeepMemory")
    else:
        chat = shared_memory(memory).session(session_id, user=owner)
    toolset = MemoryTools(chat, delete=delete)
    return [
        FunctionTool.from_defaults(verb, async_fn=async_verb, name=name, description=description)
        for name, verb, async_verb, description in (
            ("save_memory", toolset.save, toolset.asave, SAVE),
            ("search_memory", toolset.search, toolset.asearch, SEARCH),
            ("forget_memory", toolset.forget, toolset.aforget, FORGET),
        )
    ]
