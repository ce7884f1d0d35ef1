"""Build plain text messages without pydantic validation, which has nothing to check in them.

Most messages of a window are plain text, and validation takes most of the time. LangChain builds
one message of each class; the others are copies of it, made as pydantic copies a model.
"""

from __future__ import annotations

import functools
from typing import Any, Final

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from threadkeep import Item

_CLASSES: Final[dict[str, type[BaseMessage]]] = {"user": HumanMessage, "assistant": AIMessage}
_REQUIRED: Final[dict[type[BaseMessage], dict[str, Any]]] = {
    HumanMessage: {"content": ""},
    AIMessage: {"content": ""},
    SystemMessage: {"content": ""},
    ToolMessage: {"content": "", "tool_call_id": ""},
}
"""Classes, and what their messages must have."""

COUNTED: Final = frozenset({"input_tokens", "output_tokens", "total_tokens"})
"""The keys of an item's usage that make it the `usage_metadata` of a message."""

_DICTS: Final = frozenset({"additional_kwargs", "response_metadata"})
_LISTS: Final = frozenset({"tool_calls", "invalid_tool_calls"})
_set: Final = object.__setattr__


def message(item: Item) -> BaseMessage | None:
    """Return the message of an item that has only a role and a text, else `None`."""
    if item.type != "message" or item.name or item.usage or item.tool_calls:
        return None
    cls, content = _CLASSES.get(item.role), item.content
    if cls is None or type(content) is not str:
        return None
    defaults = _field_defaults(cls)
    if defaults is None:
        return cls(content=content)
    values = {**defaults, "content": content, "additional_kwargs": {}, "response_metadata": {}}
    if cls is AIMessage:
        values["tool_calls"], values["invalid_tool_calls"] = [], []
    built: BaseMessage = cls.__new__(cls)
    _set(built, "__dict__", values)
    _set(built, "__pydantic_fields_set__", {"content"})
    _set(built, "__pydantic_extra__", {})
    _set(built, "__pydantic_private__", None)
    return built


def covers(cls: type[BaseMessage]) -> bool:
    """Return True if `build` can make messages of a class."""
    return cls in _REQUIRED


def build(cls: type[BaseMessage], fields: dict[str, Any]) -> BaseMessage | None:
    """A message of these fields, which validation would leave as they are.

    `None` if the class has no such field.

    Args:
        cls: one that is covered.
        fields: the message takes them over.
    """
    defaults, containers = _sample(cls)
    if not fields.keys() <= defaults.keys():
        return None
    values = {**defaults, **fields}
    for name, make in containers:
        if name not in fields:
            values[name] = make()
    built: BaseMessage = cls.__new__(cls)
    _set(built, "__dict__", values)
    _set(built, "__pydantic_fields_set__", set(fields))
    _set(built, "__pydantic_extra__", {})
    _set(built, "__pydantic_private__", None)
    return built


@functools.cache
def _sample(cls: type[BaseMessage]) -> tuple[dict[str, Any], list[tuple[str, type]]]:
    """The fields of a message of a class with nothing in it, and which are lists and dicts."""
    fields = cls(**_REQUIRED[cls]).__dict__
    return fields, [(n, type(value)) for n, value in fields.items() if type(value) in (list, dict)]


@functools.cache
def _field_defaults(cls: type[BaseMessage]) -> dict[str, Any] | None:
    """The default fields of a text message; `None` if this langchain-core has unknown ones."""
    sample = cls(content="")
    values = sample.__dict__
    containers = _DICTS | (_LISTS if cls is AIMessage else frozenset())
    changeable = {name for name, value in values.items() if isinstance(value, (dict, list, set))}
    has_other_state = (
        sample.__pydantic_private__
        or sample.__pydantic_extra__
        or any(values[n] for n in containers)
    )
    if has_other_state or changeable != containers or sample.__pydantic_fields_set__ != {"content"}:
        return None
    return values
