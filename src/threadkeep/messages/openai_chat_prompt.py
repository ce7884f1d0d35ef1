"""The prompt of a Chat Completions request: items as messages, results behind their calls."""

from __future__ import annotations

import marshal
import re
from collections.abc import Sequence
from itertools import repeat
from typing import Any, Final, NamedTuple

from threadkeep.core.cache.cached_item import CachedItem
from threadkeep.messages.openai_chat import (
    FORMAT,
    RESULTS,
    Message,
    kept,
    wire,
)
from threadkeep.messages.tool_groups import ToolGroup
from threadkeep.messages.tool_pairs import (
    OMITTED,
    Contribution,
    asked,
    contributions,
    sendable,
    verbatim,
)
from threadkeep.types import Item, Json, is_plain

_CALL_ID: Final = re.compile(r"[^\ud800-\udfff]{1,40}", re.DOTALL)
_SPEAKERS: Final = frozenset({"user", "assistant", "system", "developer"})


class Piece(NamedTuple):
    """One item in a prompt in which nothing has to be paired anew.

    Attributes:
        message: what is sent.
        asks: the ids of its calls, last first.
        answers: the id of the call whose result it is.
        nested: the message once more, if something in it can be changed.
    """

    message: Message
    asks: list[Json]
    answers: str | None
    nested: bytes = b""


def to_openai(items: Sequence[Item], masters: Sequence[CachedItem | None] = ()) -> list[Message]:
    """The `messages` of a Chat Completions request.

    Reasoning is left out, since the API has no place for it; media it does not take are named.

    Args:
        items: a conversation.
        masters: of those items that are copies of one, the master, which knows what it said last.
    """
    if (found := _in_order(items, masters)) is not None:
        return found
    parts = contributions(items, ids=_CALL_ID, once=False, as_is=_is_legacy)
    messages = [message for part in parts for message in _messages(part)]
    if items and not messages:
        messages = [{"role": "user", "content": OMITTED}]
    return sendable(messages)


def _in_order(items: Sequence[Item], masters: Sequence[CachedItem | None]) -> list[Message] | None:
    """The messages where there is nothing to pair, as in nearly all windows; else `None`.

    Each result stands behind its call already, in the order of the calls.
    """
    messages: list[Message] = []
    open_: list[Json] = []
    sure = True
    for item, master in zip(items, masters or repeat(None)):  # noqa: B905  # as many as there are
        piece = _piece(item) if master is None else master.chat or _known(master)
        if piece is None:
            return None
        message, asks, answers, nested = piece
        if answers is not None:
            if not open_ or answers != open_.pop():
                return None
        elif open_:
            return None
        elif asks:
            open_ = asks.copy()
        if master is not None:
            message = marshal.loads(nested) if nested else message.copy()  # noqa: S302  # its own
        if master is None or not master.sendable:
            sure = False
        messages.append(message)
    if open_:
        return None
    return messages if sure else sendable(messages)


def _known(master: CachedItem) -> Piece | None:
    """The piece of a master, which is made once."""
    piece = _piece(master.read())
    if piece is not None and not all(type(value) is str for value in piece.message.values()):
        try:
            piece = piece._replace(nested=marshal.dumps(piece.message))
        except ValueError:  # nested too deep
            return _piece(master.copy())
    master.chat = piece
    return piece


def _piece(item: Item) -> Piece | None:
    """What becomes of the item on its own; `None` if others have a say in it."""
    if is_plain(item) and item.content and item.role in _SPEAKERS:
        return Piece({"role": item.role, "content": item.content}, [], None)
    asks: list[Json] | None = []
    answers = None
    if item.role in RESULTS:
        answers = item.tool_call_id or ""
    elif item.type != "message":
        return None
    elif item.tool_calls:
        asks = asked(item, _CALL_ID)
    message = wire(item)
    return None if asks is None or not message else Piece(message, asks, answers)


def _messages(part: Contribution) -> list[Message]:
    heads = [message for head in part.heads if (message := wire(head))]
    results = [message for result in part.results if (message := wire(result))]
    if len(heads) > 1 and any(head.get("tool_calls") for head in heads):
        heads = [_one_output(heads)]
    return [*heads, *results]


def _one_output(heads: list[Message]) -> Message:
    """One assistant message for all: the API wants results right behind the message that calls."""
    texts = [str(head["content"]) for head in heads if isinstance(head.get("content"), str)]
    parts = [
        part for head in heads if isinstance(head.get("content"), list) for part in head["content"]
    ]
    calls_ = [call for head in heads for call in head.get("tool_calls", [])]
    words: Any = "\n".join(text for text in texts if text) or None
    if parts:
        words = [*([{"type": "text", "text": words}] if words else []), *parts]
    return {"role": "assistant", "content": words, "tool_calls": calls_}


def _is_legacy(found: ToolGroup) -> bool:
    """Whether it is a call of before tools, with `function_call` and a message of the function."""
    if "function_call" not in (verbatim(found.heads[0], FORMAT) or ()):
        return False
    asked = kept(found.heads[0]) or {}
    if len(found.calls) != 1 or not asked.get("function_call") or "tool_calls" in asked:
        return False
    answers = [kept(answer) or {} for answer in found.answers if answer is not None]
    return all(answer.get("role") == "function" for answer in answers)
