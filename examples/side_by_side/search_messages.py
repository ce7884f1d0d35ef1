"""What a user said, found again by a search."""

from __future__ import annotations

from typing import Any


def with_threadkeep(said: str, query: str) -> list[str]:
    """By words: no model, no embedder, no key."""
    import threadkeep

    ada = threadkeep.connect("sqlite:///chat.db").user("ada")
    ada.session("chat-1").add(said)
    return [hit.text for hit in ada.recall(query)]


def with_mem0(said: str, query: str) -> list[Any]:
    """mem0 without extraction; its embedder needs a key."""
    from mem0 import Memory  # type: ignore[import-not-found]

    memory = Memory()
    memory.add(said, user_id="ada", infer=False)
    return [hit["memory"] for hit in memory.search(query, filters={"user_id": "ada"})["results"]]
