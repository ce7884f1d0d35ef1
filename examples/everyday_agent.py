"""The everyday agent: LangChain's `create_agent` with one middleware for all of its memory.

    OPENAI_API_KEY=... python -m examples.everyday_agent

What is said is stored as it arrives, and survives a restart. The model sees a window of it; the
session's summary, which a cheap model writes in the background, stands in for what the window
leaves out. What is known of the user is told in every thread, and the agent can save, search and
forget it. Each answer is recorded with its tokens.
"""

from __future__ import annotations

from typing import Any, Final

from langchain.agents import create_agent

import threadkeep
from langchain_threadkeep import ThreadkeepMiddleware

URL: Final = "sqlite:///chat.db"


def everyday_agent(model: Any, memory: threadkeep.Memory, tools: list[Any] | None = None) -> Any:
    """An agent with a window, a summary, long-term memory, memory tools and recorded answers.

    Args:
        model: a chat model of LangChain, or its name.
        memory: with a model of its own, `connect(llm=)`, which learns and sums up.
        tools: of the agent, beside those for its memory.
    """
    middleware = ThreadkeepMiddleware(
        memory,
        window={"max_tokens": 8_000},  # what the model sees of the session
        summary=True,  # what stands in for the rest of it
        inject={"max_tokens": 800},  # what is known of the user, and said in other threads
        tools=True,  # save_memory, search_memory, forget_memory
        record_responses=True,  # what each answer cost
    )
    return create_agent(model, tools or [], middleware=[middleware])


def main() -> None:
    """Chat until an empty line."""
    with threadkeep.connect(URL, llm={"model": "gpt-5-mini"}) as memory:
        agent = everyday_agent("openai:gpt-5", memory)
        config: Any = {"configurable": {"thread_id": "everyday", "user_id": "ada"}}
        while question := input("> "):
            answer = agent.invoke({"messages": [{"role": "user", "content": question}]}, config)
            print(answer["messages"][-1].text)
        memory.flush(timeout=60)  # what was said last is learned too
        print(memory.responses.usage(user="ada"))


if __name__ == "__main__":
    main()
