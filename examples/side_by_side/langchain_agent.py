"""A LangChain agent whose thread survives a restart."""

from __future__ import annotations

from typing import Any, Final

THREAD: Final[Any] = {"configurable": {"thread_id": "chat-42"}}


def with_threadkeep(model: Any, inputs: Any) -> Any:
    """The middleware; without a memory it uses the store of `connect()`."""
    from langchain.agents import create_agent

    from langchain_threadkeep import ThreadkeepMiddleware

    agent = create_agent(model, middleware=[ThreadkeepMiddleware()])
    return agent.invoke(inputs, THREAD)


def with_langgraph(model: Any, inputs: Any) -> Any:
    """LangGraph's checkpointer for SQLite."""
    from langchain.agents import create_agent
    from langgraph.checkpoint.sqlite import SqliteSaver

    with SqliteSaver.from_conn_string("chat.db") as saver:
        agent = create_agent(model, checkpointer=saver)
        return agent.invoke(inputs, THREAD)
