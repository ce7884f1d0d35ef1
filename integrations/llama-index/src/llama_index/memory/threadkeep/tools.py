"""`memory_tools`: memory tools for LlamaIndex agents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llama_index.core.tools import BaseTool, FunctionTool

from llama_index.memory.threadkeep.memory import ThreadkeepMemory
from threadkeep import Memory
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import SessionId, UserId, plain_user, session_id_text
from threadkeep.adapters.memory_tools import (
    FORGET,
    SAVE,
    SEARCH,
    MemoryTools,
)
from threadkeep.adapters.shared import shared_memory
from threadkeep.errors import ConfigError


@strict_arguments
def memory_tools(
    memory: ThreadkeepMemory | Memory | str | None = None,
    *,
    session_id: SessionId | None = None,
    user: UserId | None = None,
    delete: bool = False,
    user_id: UserId | None = None,
) -> list[BaseTool | Callable[..., Any]]:
    """`save_memory`, `search_memory` and `forget_memory`, for `tools=` of an agent.

    The application chooses the user, never the model. A fact that the user did not state in the
    session is quarantined until `facts.update(id, status="active")` approves it.

    Args:
        memory: the `ThreadkeepMemory` of the conversation; or a `Memory` or a URL, with the ids;
            `None` = the store of `threadkeep.connect()`.
        session_id: the conversation, unless `memory` is a `ThreadkeepMemory`.
        user: its owner, likewise.
        delete: whether `forget_memory` deletes facts permanently, instead of hiding them.
        user_id: another name for `user`.

    Raises:
        ConfigError: the session id is missing; the URL or an id is not valid, or differs from that
            of the `ThreadkeepMemory`.
    """
    owner = plain_user(user, user_id)
    name = None if session_id is None else session_id_text(session_id)
    if isinstance(memory, ThreadkeepMemory):
        chat = memory.chat
        _check_same("session_id", name, chat.id)
        _check_same("user", owner, chat.user)
    elif name is None:
        raise ConfigError("pass session_id= beside a Memory or a URL, or pass a ThreadkeepMemory")
    else:
        chat = shared_memory(memory).session(name, user=owner)
    toolset = MemoryTools(chat, delete=delete)
    return [
        FunctionTool.from_defaults(verb, async_fn=async_verb, name=name, description=description)
        for name, verb, async_verb, description in (
            ("save_memory", toolset.save, toolset.asave, SAVE),
            ("search_memory", toolset.search, toolset.asearch, SEARCH),
            ("forget_memory", toolset.forget, toolset.aforget, FORGET),
        )
    ]


def _check_same(name: str, value: str | None, existing: str | None) -> None:
    if value is not None and value != existing:
        raise ConfigError(
            f"{name} is another than that of the ThreadkeepMemory: leave it out, or pass the "
            "Memory itself"
        )
