"""Short ways to write conversations down, and to read what a policy left of them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.window.histories import START, placed
from tests.window.looking import window
from threadkeep.protocols import Policy
from threadkeep.types import Item

SPEAKERS = {"u": "user", "a": "assistant", "s": "system", "d": "developer"}


def conversation(script: str) -> list[Item]:
    """`"u1 a1 c2:x r2:x"`: a user's, a model's, a call of `x`, and its result; a minute each."""
    return placed([_item(word) for word in script.split()])


def left(script: str, *policies: Policy, now: float = START + 3_600) -> str:
    """The words of the script that a window with these policies holds."""
    found = window(conversation(script), policies, now=now)
    return " ".join("(no result)" if not item.seq or _made(item) else _word(item) for item in found)


def _item(word: str) -> Item:
    kind, _, call = word.partition(":")
    match kind[0]:
        case "c":
            calls = [{"id": id_, "name": "look", "args": {}} for id_ in call.split(",")]
            return Item(role="assistant", tool_calls=calls, metadata={"word": word})
        case "r":
            said = {"type": "tool_result", "role": "tool", "tool_call_id": call}
            return Item(**said, metadata={"word": word})  # type: ignore[arg-type]
    return Item(role=SPEAKERS[kind[0]], content=word)


def _made(item: Item) -> bool:
    return bool(item.metadata.get("synthetic"))


def _word(item: Item) -> str:
    return str(item.metadata.get("word") or item.text)


def items(*pairs: Sequence[str]) -> list[Item]:
    """Items from pairs of role and text."""
    return placed([Item(role=role, content=text) for role, text in pairs])
