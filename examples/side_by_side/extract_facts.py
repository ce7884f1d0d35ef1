"""Facts that a model extracts from messages, waited for and found by a search."""

from __future__ import annotations

from typing import Any


def with_threadkeep(llm: Any, said: str, query: str) -> list[str]:
    """`extract` learns at once; an application leaves it out, and learns in the background."""
    import threadkeep

    memory = threadkeep.connect("sqlite:///chat.db", llm=llm)
    memory.session("chat-1", user="ada").add(said)
    memory.extract()
    return [hit.text for hit in memory.user("ada").recall(query, kind="fact")]


def with_mem0(said: str, query: str) -> list[Any]:
    """mem0 waits for its model in `add`; model and embedder need a key."""
    from mem0 import Memory  # type: ignore[import-not-found]

    memory = Memory()
    memory.add(said, user_id="ada")
    return [hit["memory"] for hit in memory.search(query, filters={"user_id": "ada"})["results"]]
