"""`memory_tools`: memory tools for LangChain agents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.runtime import get_runtime

from langchain_threadkeep.identity import (
    Id,
    IdentityResolver,
    SubAgentMemory,
    UserId,
)
from threadkeep import Memory, Session
from threadkeep.adapters import read_more, windows
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import user_source
from threadkeep.adapters.memory_tools import (
    FORGET,
    SAVE,
    SEARCH,
    MemoryTools,
)
from threadkeep.adapters.read_more import NAME as READ_MORE
from threadkeep.adapters.read_more import ReadMore
from threadkeep.adapters.shared import shared_memory


@strict_arguments
def memory_tools(
    memory: Memory | str | None = None,
    *,
    session_id: Id = None,
    user: UserId = None,
    delete: bool = False,
    user_id: UserId = None,
    sub_agent_memory: SubAgentMemory = "call",
) -> list[BaseTool]:
    """`save_memory`, `search_memory` and `forget_memory`, for `create_agent(tools=)`.

    The run decides the user, as for `ThreadkeepMiddleware`, never the model. A fact that the user
    did not state in the session is quarantined until `facts.update(id, status="active")` approves
    it.

    Args:
        memory: a `Memory`, or a URL, of which one store is opened in a process; `None` = the store
            of `threadkeep.connect()`. No I/O yet.
        session_id: the session, or a callable of the run's `Runtime`; `None` = its `thread_id`.
        user: as for `ThreadkeepMiddleware`.
        delete: whether `forget_memory` deletes facts permanently, instead of hiding them.
        user_id: another name for `user`.
        sub_agent_memory: as for `ThreadkeepMiddleware`.

    Raises:
        ConfigError: an id or the URL is not valid.
    """
    opened_memory = shared_memory(memory)
    resolver = IdentityResolver(session_id, user_source(user, user_id), sub_agent_memory)
    return resolved_memory_tools(opened_memory, resolver, delete=delete)


def resolved_memory_tools(
    memory: Memory, resolver: IdentityResolver, *, delete: bool = False
) -> list[BaseTool]:
    """As `memory_tools`, where the run's identity is resolved already."""

    def tools(config: RunnableConfig) -> MemoryTools:
        return MemoryTools(_session(memory, resolver, config), delete=delete)

    def save(text: str, config: RunnableConfig) -> str:
        return tools(config).save(text)

    async def asave(text: str, config: RunnableConfig) -> str:
        return await tools(config).asave(text)

    def search(query: str, config: RunnableConfig) -> str:
        return tools(config).search(query)

    async def asearch(query: str, config: RunnableConfig) -> str:
        return await tools(config).asearch(query)

    def forget(id: str, config: RunnableConfig) -> str:
        return tools(config).forget(id)

    async def aforget(id: str, config: RunnableConfig) -> str:
        return await tools(config).aforget(id)

    return [
        _tool("save_memory", SAVE, save, asave),
        _tool("search_memory", SEARCH, search, asearch),
        _tool("forget_memory", FORGET, forget, aforget),
    ]


def read_more_tool(
    memory: Memory, resolver: IdentityResolver, policies: windows.Policies
) -> BaseTool:
    """`read_more` for the agents of a middleware: the run decides the session."""

    def pages(config: RunnableConfig) -> ReadMore:
        return ReadMore(_session(memory, resolver, config), policies)

    def read(handle: str, config: RunnableConfig, start: int = 0) -> str:
        return pages(config).read(handle, start)

    async def aread(handle: str, config: RunnableConfig, start: int = 0) -> str:
        return await pages(config).aread(handle, start)

    return _tool(READ_MORE, read_more.DESCRIPTION, read, aread)


def _session(memory: Memory, resolver: IdentityResolver, config: RunnableConfig) -> Session:
    """The session of a run, opened as its user."""
    run_config: Any = config
    identity = resolver.resolve(run_config, _runtime())
    return memory.session(identity.session_of_run, user=identity.user, agent=identity.agent)


def _tool(
    name: str, description: str, sync_verb: Callable[..., str], async_verb: Callable[..., Any]
) -> BaseTool:
    return StructuredTool.from_function(sync_verb, async_verb, name=name, description=description)


def _runtime() -> Any:
    try:
        return get_runtime()
    except (RuntimeError, KeyError):  # called outside a graph
        return None
