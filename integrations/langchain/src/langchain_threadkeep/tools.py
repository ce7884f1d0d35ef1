"""`memory_tools`: what an agent of LangChain may do with the memory of whoever it speaks with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.runtime import get_runtime

from langchain_threadkeep.identity import (
    Id,
    People,
    UserId,
    sub_agent,
)
from threadkeep import Memory
from threadkeep.adapters.memory_tools import (
    FORGET,
    SAVE,
    SEARCH,
    MemoryTools,
)
from threadkeep.adapters.shared import shared


def memory_tools(
    memory: Memory | str, session_id: Id = None, user_id: UserId = None, *, delete: bool = False
) -> list[BaseTool]:
    """`save_memory`, `search_memory` and `forget_memory`, for `create_agent(tools=)`.

    Whose memory it is comes from the run, as for `ThreadkeepMiddleware`, and never from the
    model. What the user did not say in the session is saved in quarantine, until
    `facts.update(id, status="active")` approves it.

    Args:
        memory: a `Memory`, or a URL; one store per URL is opened in a process. No I/O yet.
        session_id: the session, or a callable of the run's `Runtime`; `None` = its `thread_id`.
        user_id: as for `ThreadkeepMiddleware`.
        delete: have `forget_memory` remove facts for good, instead of hiding them.

    Raises:
        ConfigError: the URL is not understood.
    """
    opened, people = shared(memory), People(session_id, user_id)

    def tools(config: RunnableConfig) -> MemoryTools:
        runtime = _runtime()
        said: Any = config
        who = people.who(said, runtime)._replace(agent=sub_agent(said))
        chat = opened.session(who.session_of_run, user=who.user, agent=who.agent)
        return MemoryTools(chat, delete=delete)

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


def _tool(name: str, says: str, verb: Callable[..., str], twin: Callable[..., Any]) -> BaseTool:
    return StructuredTool.from_function(verb, twin, name=name, description=says)


def _runtime() -> Any:
    try:
        return get_runtime()
    except (RuntimeError, KeyError):  # a tool that is called outside of a graph
        return None
