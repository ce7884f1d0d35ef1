"""The messages in what went into a run of LangSmith, and came out of it."""

from collections.abc import Mapping
from typing import Any, Final

from threadkeep.importers import fields

_IN: Final = ("messages", "input", "question", "query", "prompt", "prompts", "text")
_OUT: Final = (
    "messages", "generations", "choices", "output", "answer", "response", "result", "text",
)  # fmt: skip
_SPEAKERS: Final = ("human", "user", "ai", "assistant", "system")  # of `("human", "Hi")`
_WRAPPED: Final = ("message", "text")


def inputs(value: object) -> list[Any]:
    """What was asked, as messages; a text is the user's."""
    return _messages(value, _IN, "user")


def outputs(value: object) -> list[Any]:
    """What was answered, as messages; a text is the assistant's."""
    return _messages(value, _OUT, "assistant")


def _messages(value: object, names: tuple[str, ...], role: str) -> list[Any]:
    if isinstance(value, Mapping):
        if _is_message(value):
            return [value]
        inner_value = next((value[name] for name in (*names, *_WRAPPED) if value.get(name)), None)
        return [] if inner_value is None else _messages(inner_value, names, role)
    if isinstance(value, str):
        return [{"role": role, "content": value}] if value.strip() else []
    if isinstance(value, list):
        if len(value) == 2 and fields.is_one_of(value[0], _SPEAKERS) and isinstance(value[1], str):
            return [tuple(value)]
        return [message for element in value for message in _messages(element, names, role)]
    return []


def _is_message(value: Mapping[str, Any]) -> bool:
    return (
        "role" in value
        or ("type" in value and ("content" in value or "data" in value))
        or (value.get("type") == "constructor" and "kwargs" in value)
    )
