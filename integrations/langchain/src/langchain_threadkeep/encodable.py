"""Prompts without lone surrogates: no request can encode them, and stored ones come every time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import BaseMessage

from threadkeep.messages import sanitize_messages

if TYPE_CHECKING:
    from langchain.agents.middleware.types import ModelRequest

_FIELDS: Final = ("content", "name", "tool_calls", "invalid_tool_calls", "additional_kwargs")


def encodable(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The messages; those with lone surrogates as copies that have `?` in their place."""
    field_dicts = [_fields(message) for message in messages]
    encodable_dicts = sanitize_messages(field_dicts)
    if encodable_dicts is field_dicts:
        return list(messages)
    return [
        message if fields == own_fields else message.model_copy(update=fields)
        for message, own_fields, fields in zip(messages, field_dicts, encodable_dicts, strict=True)
    ]


def encodable_request(request: ModelRequest[Any]) -> ModelRequest[Any]:
    """The request with messages, and a system message, that can be encoded."""
    messages: list[Any] = encodable(request.messages)
    if request.system_message is None:
        return request.override(messages=messages)
    system_message: Any = encodable([request.system_message])[0]
    return request.override(messages=messages, system_message=system_message)


def _fields(message: BaseMessage) -> dict[str, Any]:
    """What a message sends, as far as it is set."""
    return {
        name: value for name in _FIELDS if (value := getattr(message, name, None)) not in (None, "")
    }
