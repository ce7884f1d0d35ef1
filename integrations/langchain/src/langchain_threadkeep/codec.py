"""Convert LangChain messages to items and back, lossless for messages that LangChain wrote.

`raw` holds only what the neutral fields cannot express, so a plain message has none.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Final

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    BaseMessageChunk,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
    message_chunk_to_message,
)

from langchain_threadkeep import content_codec, continuation_codec, fast_path, tool_call_codec
from langchain_threadkeep.json_values import Packed, pack, unpack
from threadkeep import Item
from threadkeep.errors import InputError

FORMAT: Final = "langchain/1"

_KINDS: Final[Mapping[str, type[BaseMessage]]] = {
    "human": HumanMessage,
    "ai": AIMessage,
    "system": SystemMessage,
    "tool": ToolMessage,
    "function": FunctionMessage,
    "remove": RemoveMessage,
    "chat": ChatMessage,
}
_ROLES: Final = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool",
                 "function": "tool", "remove": "system"}  # fmt: skip
_DEFAULT_KINDS: Final = {
    "user": "human",
    "assistant": "ai",
    "system": "system",
    "developer": "system",
    "tool": "tool",
}
_DEFAULT_FIELDS: Final[Mapping[str, Any]] = {
    "additional_kwargs": {}, "response_metadata": {}, "id": None, "name": None,
}  # fmt: skip
_ERRORS: Final = (LookupError, TypeError, ValueError, AttributeError)
_CONTENT_FIELDS: Final = ("content", "tool_calls", "invalid_tool_calls")


def to_item(message: BaseMessage) -> Item:
    """Convert a message to an item without an id; `to_message` restores it exactly.

    Chunks are converted to messages first. A message that a harness wrote
    (`additional_kwargs["lc_source"]`) becomes a `notice`, which windows leave out.

    Raises:
        InputError: it is not a message.
    """
    if not isinstance(message, BaseMessage):
        raise InputError(f"a message must be a BaseMessage, got {type(message).__name__}")
    if isinstance(message, BaseMessageChunk):
        message = message_chunk_to_message(message)
    if type(message) is HumanMessage and _is_plain_text(message):
        return Item(content=str(message.content))
    message_kind = next(
        (kind for kind, message_class in _KINDS.items() if isinstance(message, message_class)),
        "chat",
    )
    message_fields = {**message.__dict__, **(message.__pydantic_extra__ or {})}
    type_name = message_fields.pop("type")
    if message_kind == "chat":
        message_fields.setdefault("role", type_name)  # a custom class with a `type` of its own
    item, packed_content = _neutral_item(message_kind, message_fields)
    default_fields = _neutral_fields(item, message_kind)
    extra_fields = {
        field_name: pack(value)
        for field_name, value in message_fields.items()
        if not _is_default(default_fields, field_name, value)
    }
    if packed_content is not None:
        extra_fields["content"] = packed_content
    elif item.content == message_fields["content"]:
        extra_fields.pop("content", None)
    if message_kind != _DEFAULT_KINDS.get(item.role):
        extra_fields["type"] = message_kind
    return (
        dataclasses.replace(item, raw={"format": FORMAT, "data": extra_fields})
        if extra_fields
        else item
    )


def to_message(item: Item) -> BaseMessage:
    """Convert an item to a message: exact if LangChain wrote it, else translated.

    Edits of the stored item are included.
    """
    raw_fields = _raw_fields(item)
    if raw_fields is None:
        plain_message = fast_path.message(item) if item.raw is None else None
        return plain_message or _foreign_message(item)
    if any(name in raw_fields for name in _CONTENT_FIELDS):
        try:
            message = _build_message(item, raw_fields)
            neutral_item = to_item(message)
            if all(
                getattr(neutral_item, field_name) == getattr(item, field_name)
                for field_name in ("content", "tool_calls")
            ):
                return message
        except _ERRORS:
            pass  # the item was edited since
        raw_fields = {
            name: value for name, value in raw_fields.items() if name not in _CONTENT_FIELDS
        }
    try:
        return _build_message(item, raw_fields)
    except _ERRORS:
        return _foreign_message(item)


def message_id(item: Item) -> str | None:
    """Return LangChain's own id of the message in an item."""
    raw_id = (_raw_fields(item) or {}).get("id")
    return raw_id if isinstance(raw_id, str) and raw_id else None


def plain_fields(item: Item) -> tuple[type[BaseMessage], dict[str, Any]] | None:
    """The class and the fields of the message in an item, as new objects; not validated.

    `None` if its content is not a text, or its class is not one of `fast_path`.
    """
    raw_fields = _raw_fields(item) or {}
    message_kind = str(raw_fields.get("type") or _DEFAULT_KINDS.get(item.role, "chat"))
    if type(item.content) is not str or not fast_path.covers(_KINDS[message_kind]):
        return None
    if any(field_name in raw_fields for field_name in _CONTENT_FIELDS):
        return None
    message_fields = _neutral_fields(item, message_kind)
    message_fields |= {"additional_kwargs": {}, "response_metadata": {}}  # not the shared defaults
    for field_name, value in raw_fields.items():
        message_fields[field_name] = unpack(value)
    message_fields.pop("type", None)
    if message_fields.get("usage_metadata") is not None:
        message_fields["usage_metadata"] = unpack(message_fields["usage_metadata"])
    return _KINDS[message_kind], message_fields


def is_native(item: Item) -> bool:
    """Return True if LangChain wrote the item and it has data beyond its neutral fields."""
    return item.raw is not None and item.raw.get("format") == FORMAT


def is_notice(message: BaseMessage) -> bool:
    """Return True if a harness wrote the message, such as a summary or a task notification."""
    return bool(message.additional_kwargs.get("lc_source"))


def is_summary(message: BaseMessage) -> bool:
    """Return True if the message sums up others, in whose place it stands."""
    return message.additional_kwargs.get("lc_source") == "summarization"


def chunks_to_messages(messages: Iterable[BaseMessage]) -> list[BaseMessage]:
    """Convert chunks among the messages to messages."""
    return [
        message_chunk_to_message(message) if isinstance(message, BaseMessageChunk) else message
        for message in messages
    ]


def _raw_fields(item: Item) -> dict[str, Packed] | None:
    raw_data = item.raw.get("data") if item.raw is not None and is_native(item) else None
    return raw_data if isinstance(raw_data, dict) else None


def _neutral_item(kind: str, fields: Mapping[str, Any]) -> tuple[Item, Packed | None]:
    neutral_content, packed_content = content_codec.to_neutral(fields["content"])
    response_metadata = fields.get("response_metadata") or {}
    model_name = response_metadata.get("model_name") or response_metadata.get("model")
    usage = fields.get("usage_metadata")
    is_stored_notice = kind == "remove" or bool(fields["additional_kwargs"].get("lc_source"))
    is_result = kind in ("tool", "function")
    raw_name = fields.get("name")
    item = Item(
        type="notice" if is_stored_notice else "tool_result" if is_result else "message",
        role=_ROLES.get(kind) or str(fields.get("role") or "unknown"),
        name=raw_name if isinstance(raw_name, str) and raw_name else None,
        content=neutral_content,
        tool_calls=tool_call_codec.to_neutral(fields) if kind == "ai" else [],
        tool_call_id=fields.get("tool_call_id"),
        status="error" if fields.get("status") == "error" else None,
        model=model_name if isinstance(model_name, str) and model_name else None,
        usage=usage if isinstance(usage, dict) and pack(usage) == usage else None,
    )
    return item, packed_content


def _neutral_fields(item: Item, kind: str) -> dict[str, Any]:
    """The fields of a message of this kind that follow from the neutral fields."""
    message_fields: dict[str, Any] = {**_DEFAULT_FIELDS, "name": item.name, "content": item.content}
    match kind:
        case "ai":
            message_fields |= tool_call_codec.from_neutral(item.tool_calls)
            usage = item.usage
            has_full_usage = usage is not None and usage.keys() >= fast_path.COUNTED
            message_fields["usage_metadata"] = usage if has_full_usage else None
        case "tool":
            status = "error" if item.status == "error" else "success"
            message_fields |= {
                "tool_call_id": item.tool_call_id or "",
                "artifact": None,
                "status": status,
            }
        case "chat":
            message_fields["role"] = item.role
    return message_fields


def _is_plain_text(message: BaseMessage) -> bool:
    message_fields = message.__dict__
    return type(message_fields["content"]) is str and not (
        message_fields["id"]
        or message_fields["name"]
        or message_fields["additional_kwargs"]
        or message_fields["response_metadata"]
        or message.__pydantic_extra__
    )


def _is_default(defaults: Mapping[str, Any], name: str, value: Any) -> bool:
    return (
        name in defaults and type(defaults[name]) is type(value) and bool(defaults[name] == value)
    )


def _build_message(item: Item, raw_fields: Mapping[str, Packed]) -> BaseMessage:
    message_kind = str(raw_fields.get("type") or _DEFAULT_KINDS.get(item.role, "chat"))
    message_fields = _neutral_fields(item, message_kind)
    for field_name, value in raw_fields.items():
        message_fields[field_name] = value if field_name == "content" else unpack(value)
    if isinstance(raw_fields.get("content"), list):
        message_fields["content"] = content_codec.from_neutral(item.content, raw_fields["content"])
    elif isinstance(message_fields["content"], list):
        message_fields["content"] = unpack(message_fields["content"])
    message_fields.pop("type", None)
    if message_kind == "remove":
        del message_fields["content"]
    if "usage_metadata" in message_fields:
        message_fields["usage_metadata"] = copy.deepcopy(message_fields["usage_metadata"])
    return _KINDS[message_kind](**message_fields)


def _foreign_message(item: Item) -> BaseMessage:
    extra_kwargs = continuation_codec.to_kwargs(item)
    message = _build_message(
        continuation_codec.without_thoughts(item) if extra_kwargs else item, {}
    )
    message.additional_kwargs |= extra_kwargs
    if item.role == "developer":
        message.additional_kwargs["__openai_role__"] = "developer"
    return message
