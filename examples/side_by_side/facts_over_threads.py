"""A LangChain agent that keeps its history, saves facts, and knows them in other threads."""

from __future__ import annotations

from typing import Any, Final

NAMESPACE: Final = ("memories", "{user_id}")


def with_threadkeep(model: Any, turns: Any) -> list[Any]:
    """The middleware with its tools; it tells the model what is known, without a search."""
    from langchain.agents import create_agent

    from langchain_threadkeep import ThreadkeepMiddleware

    agent = create_agent(model, middleware=[ThreadkeepMiddleware(tools=True)])
    return [agent.invoke(inputs, config) for inputs, config in turns]


def with_langmem(model: Any, index: Any, turns: Any) -> list[Any]:
    """LangGraph's checkpointer, LangMem's tools, and the store of its first page: in memory.

    `index` names the embedder: `{"dims": 1536, "embed": "openai:text-embedding-3-small"}`.
    """
    from langchain.agents import create_agent
    from langgraph.checkpoint.sqlite import SqliteSaver
    from langgraph.store.memory import InMemoryStore
    from langmem import (  # type: ignore[import-not-found]
        create_manage_memory_tool,
        create_search_memory_tool,
    )

    tools = [create_manage_memory_tool(NAMESPACE), create_search_memory_tool(NAMESPACE)]
    store = InMemoryStore(index=index)
    with SqliteSaver.from_conn_string("chat.db") as saver:
        agent = create_agent(model, tools, checkpointer=saver, store=store)
        return [agent.invoke(inputs, config) for inputs, config in turns]
