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
    message_class, content = _CLASSES.get(item.role), item.content
    if message_class is None or type(content) is not str:
        return None
    default_fields = _field_defaults(message_class)
    if default_fields is None:
        return message_class(content=content)
    field_values = {
        **default_fields,
        "content": content,
        "additional_kwargs": {},
        "response_metadata": {},
    }
    if message_class is AIMessage:
        field_values["tool_calls"], field_values["invalid_tool_calls"] = [], []
    new_message: BaseMessage = message_class.__new__(message_class)
    _set(new_message, "__dict__", field_values)
    _set(new_message, "__pydantic_fields_set__", {"content"})
    _set(new_message, "__pydantic_extra__", {})
    _set(new_message, "__pydantic_private__", None)
    return new_message


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
    default_fields, container_fields = _sample(cls)
    if not fields.keys() <= default_fields.keys():
        return None
    field_values = {**default_fields, **fields}
    for field_name, container_type in container_fields:
        if field_name not in fields:
            field_values[field_name] = container_type()
    new_message: BaseMessage = cls.__new__(cls)
    _set(new_message, "__dict__", field_values)
    _set(new_message, "__pydantic_fields_set__", set(fields))
    _set(new_message, "__pydantic_extra__", {})
    _set(new_message, "__pydantic_private__", None)
    return new_message


@functools.cache
def _sample(cls: type[BaseMessage]) -> tuple[dict[str, Any], list[tuple[str, type]]]:
    """The fields of a message of a class with nothing in it, and which are lists and dicts."""
    sample_fields = cls(**_REQUIRED[cls]).__dict__
    return sample_fields, [
        (field_name, type(value))
        for field_name, value in sample_fields.items()
        if type(value) in (list, dict)
    ]


@functools.cache
def _field_defaults(cls: type[BaseMessage]) -> dict[str, Any] | None:
    """The default fields of a text message; `None` if this langchain-core has unknown ones."""
    sample_message = cls(content="")
    default_values = sample_message.__dict__
    container_names = _DICTS | (_LISTS if cls is AIMessage else frozenset())
    mutable_names = {
        name for name, value in default_values.items() if isinstance(value, (dict, list, set))
    }
    has_other_state = (
        sample_message.__pydantic_private__
        or sample_message.__pydantic_extra__
        or any(default_values[name] for name in container_names)
    )
    if (
        has_other_state
        or mutable_names != container_names
        or sample_message.__pydantic_fields_set__ != {"content"}
    ):
        return None
    return default_values
