"""A memory on each embedded store, and what to put there."""

from __future__ import annotations

from tests.embedded import backend, clock, memory, opened
from threadkeep.core import copy_streams

__all__ = ["answer", "backend", "clock", "memory", "opened", "streams"]


def streams(memory):
    """The names of all streams that are there, but for the one that says how the store is kept."""
    return copy_streams.stream_names(memory._engine.backend)


def answer(id, **fields):
    """A response as a provider gives it."""
    text = {"type": "output_text", "text": f"the answer {id}"}
    said = {"type": "message", "role": "assistant", "content": [text]}
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    return {
        "id": id,
        "object": "response",
        "model": "gpt-5",
        "status": "completed",
        "output": [said],
        "usage": usage,
        **fields,
    }
