"""Values of channels as JSON: messages by reference, large values once, the rest as they are.

| form | what it is |
|---|---|
| a text, a number, `true`, `false`, `null` | itself |
| `{"j": ...}` | a plain list or dict |
| `{"m": reference}` | a message |
| `{"t": digest}` | a text that a message says |
| `{"l": [...]}`, `{"d": {...}}` | a list or dict with messages in it |
| `{"S": [node, argument]}` | a `Send` |
| `{"D": ...}` | a snapshot of a `DeltaChannel` |
| `{"r": [[run, length, segment], ...]}` | a long list |
| `{"s": [type, base64]}` | anything else, by LangGraph's serializer |
| `{"v": [digest, parts]}` | one of these forms, stored under its digest |
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any, Final

from langchain_core.messages import BaseMessage
from langgraph.types import Send

Form = Any
"""A value in one of the forms above."""

MISSING: Final = object()
"""A message, or a part of a value, that is stored nowhere any more."""

_DEPTH: Final = 60


def form_text(form: Form) -> str:
    """A form as JSON in ASCII, which any split leaves valid for every store."""
    return json.dumps(form, separators=(",", ":"), allow_nan=False)


def walk(form: Form) -> Iterator[tuple[str, Any]]:
    """Yield what a form refers to: its tags `m`, `r`, `t` and `v`, with their contents."""
    if not isinstance(form, dict):
        return
    ((tag, content),) = form.items()
    match tag:
        case "m" | "v" | "r" | "t":
            yield tag, content
        case "l":
            for element_form in content:
                yield from walk(element_form)
        case "d":
            for element_form in content.values():
                yield from walk(element_form)
        case "S":
            yield from walk(content[1])
        case "D":
            yield from walk(content)


def has_message(value: Any) -> bool:
    """Return True if a list, a dict with text keys or a `Send` has a message in it."""
    return has_part(value, lambda part: isinstance(part, BaseMessage))


def has_part(value: Any, matches: Callable[[Any], bool], depth: int = 0) -> bool:
    """Return True if a value, or a part of a list, a tuple, a dict or a `Send` in it, matches."""
    if matches(value):
        return True
    if depth > _DEPTH:
        return False
    value_type = type(value)
    if value_type is list or value_type is tuple:
        return any(has_part(element, matches, depth + 1) for element in value)
    if value_type is dict:
        return all(type(key) is str for key in value) and any(
            has_part(element, matches, depth + 1) for element in value.values()
        )
    return value_type is Send and value.timeout is None and has_part(value.arg, matches, depth + 1)


def is_plain(value: Any, depth: int = 0) -> bool:
    """Return True if a value comes back from JSON as it is, and every text of it is whole."""
    value_type = type(value)
    if value_type is str:
        return value.isascii() or is_whole(value)
    if value is None or value_type in (bool, int):
        return True
    if value_type is float:
        return math.isfinite(value)
    if depth > _DEPTH:
        return False
    if value_type is list:
        return all(is_plain(element, depth + 1) for element in value)
    return value_type is dict and all(
        type(key) is str and (key.isascii() or is_whole(key)) and is_plain(element, depth + 1)
        for key, element in value.items()
    )


def is_whole(text: str) -> bool:
    """Return True if no half of an emoji, a lone surrogate, is in a text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
