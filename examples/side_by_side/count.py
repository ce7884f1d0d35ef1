"""Count the lines of each way, and write them as the table of the documentation.

    python -m examples.side_by_side.count

A line counts if it has code of the function's body. Imports, the docstring, and a `return` that
only hands out a part of what is there do not count.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent

JOBS: Final = {
    "own_loop": "a chat in a loop of your own, which survives a restart",
    "langchain_agent": "a LangChain agent whose thread survives a restart",
    "facts_over_threads": "the same, and it saves facts that it knows in every thread",
    "search_messages": "what a user said, found by a search",
    "extract_facts": "facts that a model extracts, waited for and found by a search",
    "llama_index_chat": "a LlamaIndex chat engine whose chat survives a restart",
    "openai_agents_run": "a run of the OpenAI Agents SDK whose session survives a restart",
}

PEERS: Final = {
    "with_langchain": "LangChain `SQLChatMessageHistory`",
    "with_langgraph": "LangGraph `SqliteSaver`",
    "with_langmem": "LangGraph `SqliteSaver` and `InMemoryStore`, LangMem, an embedder",
    "with_llama_index": "LlamaIndex `Memory`",
    "with_mem0": "mem0, a key, an embedder",
    "with_openai_agents": "OpenAI Agents `SQLiteSession`",
}


def lines_of(job: str) -> dict[str, int]:
    """The ways to do a job, and how many lines each has."""
    tree = ast.parse((FOLDER / f"{job}.py").read_text("utf-8"))
    ways = (n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return {way.name: len(set(_code_lines(way.body[1:]))) for way in ways}


def table() -> str:
    """The lines of all jobs, as Markdown."""
    rows = ["| job | threadkeep | others |", "| --- | --- | --- |"]
    for job, title in JOBS.items():
        lines = lines_of(job)
        ours = lines.pop("with_threadkeep")
        others = "; ".join(f"{PEERS[way]}: {count}" for way, count in lines.items())
        rows.append(f"| {title} | {ours} | {others} |")
    return "\n".join(rows)


def _code_lines(body: list[ast.stmt]) -> Iterator[int]:
    for statement in body:
        if not (isinstance(statement, ast.Import | ast.ImportFrom) or _only_hands_out(statement)):
            yield from range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)


def _only_hands_out(statement: ast.stmt) -> bool:
    """Whether it is a `return` of something that an earlier line made."""
    if not isinstance(statement, ast.Return) or statement.value is None:
        return False
    calls = [node.func for node in ast.walk(statement.value) if isinstance(node, ast.Call)]
    return all(isinstance(call, ast.Name) and call.id == "str" for call in calls)


if __name__ == "__main__":
    print(table())
