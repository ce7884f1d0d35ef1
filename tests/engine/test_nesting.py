"""What is nested too deeply is refused by every verb that stores it, and nothing is written."""

from __future__ import annotations

from typing import Any

import pytest

from threadkeep import connect
from threadkeep.errors import InputError

DEPTHS = (100, 460, 500, 980, 3_000)
KINDS = {"dicts": lambda value: {"a": value}, "lists": lambda value: [value]}
REDACTORS = {"plain": None, "redacted": lambda text, kind: text}
VERBS = {
    "metadata of a message": lambda chat, value: chat.add("x", metadata={"a": value}),
    "content": lambda chat, value: chat.add(
        {"role": "user", "content": [{"type": "x", "x": value}]}
    ),
    "set_items": lambda chat, value: chat.set_items(
        {"role": "user", "content": "x", "metadata": {"a": value}}
    ),
    "replace": lambda chat, value: chat.replace(
        "mine", {"role": "user", "content": "x", "metadata": {"a": value}}
    ),
    "update": lambda chat, value: chat.update(metadata={"a": value}),
    "update by a callable": lambda chat, value: chat.update(metadata=lambda old: {"a": value}),
    "file": lambda chat, value: chat.files.add({"url": "u", "a": value}),
    "conversation": lambda chat, value: chat.memory.conversations.create(
        "new", metadata={"a": value}
    ),
    "conversation's items": lambda chat, value: chat.memory.conversations.add_items(
        "s", {"role": "user", "content": "x", "metadata": {"a": value}}
    ),
    "output of a response": lambda chat, value: chat.memory.responses.add(
        {"id": "new", "output": [{"type": "x", "x": value}]}
    ),
    "unstored response": lambda chat, value: chat.memory.responses.add(
        {"id": "new", "output": [{"type": "x", "x": value}]}, store=False
    ),
    "input of a response": lambda chat, value: chat.memory.responses.add(
        {"id": "new", "output": []}, input=[{"role": "user", "content": [value]}]
    ),
    "other field of a response": lambda chat, value: chat.memory.responses.add(
        {"id": "new", "output": [], "unknown": value}
    ),
    "feedback": lambda chat, value: chat.memory.feedback.add(
        "r", rating="positive", metadata={"a": value}
    ),
}


@pytest.fixture(params=REDACTORS)
def memory(request):
    with connect("memory://", redactor=REDACTORS[request.param]) as memory:
        yield memory


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("verb", VERBS)
def test_a_value_that_is_nested_too_deeply_is_refused_whole(memory, verb, kind):
    ada = memory.user("ada")
    chat = ada.session("s")
    chat.add({"role": "user", "content": "hi", "id": "mine"})
    memory.responses.add({"id": "r", "output": []}, conversation="s")
    stored = ada.export()
    for depth in DEPTHS:
        value: Any = "leaf"
        for _ in range(depth):
            value = KINDS[kind](value)
        with pytest.raises(InputError):
            VERBS[verb](Handles(memory, chat), value)
        assert ada.export() == stored


class Handles:
    """The verbs of a session, with its memory beside."""

    def __init__(self, memory, chat):
        self.memory = memory
        self._chat = chat

    def __getattr__(self, name):
        return getattr(self._chat, name)
