"""Runs one turn on each of some stores, killed at a write: crash_child sync 3=URL 4=URL."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph

from langchain_threadkeep import ThreadkeepSaver
from threadkeep import connect


def graph_of(saver: Any) -> Any:
    """A graph of two nodes, whose messages have fixed ids."""

    def answer(state):
        turn = sum(message.type == "human" for message in state["messages"])
        return {"messages": [AIMessage(f"answer {turn}", id=f"a{turn}")]}

    def review(state):
        turn = sum(message.type == "human" for message in state["messages"])
        return {"messages": [AIMessage(f"review {turn}", id=f"r{turn}")]}

    builder = StateGraph(MessagesState)
    builder.add_node("answer", answer)
    builder.add_node("review", review)
    builder.add_edge(START, "answer")
    builder.add_edge("answer", "review")
    builder.add_edge("review", END)
    return builder.compile(checkpointer=saver)


def say(graph: Any, turn: int, durability: str = "sync") -> Any:
    """One turn."""
    given = {"messages": [HumanMessage(f"question {turn}", id=f"q{turn}")]}
    return graph.invoke(given, {"configurable": {"thread_id": "t"}}, durability=durability)


def turn(url: str, last: int, durability: str) -> None:
    """Run the second turn, and die after so many writes."""
    memory = connect(url)
    backend: Any = memory.backend
    commit, count = backend.commit, 0

    def counted(*args: Any, **how: Any) -> Any:
        nonlocal count
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1
        return commit(*args, **how)

    backend.commit = counted
    say(graph_of(ThreadkeepSaver(memory)), 2, durability)


def main(durability: str, *cases: str) -> None:
    """Each case in a process of its own, which is forked: the imports take most of the time."""
    for case in cases:
        last, _, url = case.partition("=")
        child = os.fork()
        if not child:
            turn(url, int(last), durability)
            os._exit(0)
        print(last, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
