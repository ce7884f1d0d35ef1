"""LangChain messages to items and back: exact for what LangChain wrote, readable for the rest.

An item keeps in `raw` only what its neutral fields do not say, so a plain message has none.
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

from langchain_threadkeep import content_codec, fast_path, tool_call_codec
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
_USUAL: Final = {"user": "human", "assistant": "ai", "system": "system", "developer": "system",
                 "tool": "tool"}  # fmt: skip
_SHARED: Final[Mapping[str, Any]] = {
    "additional_kwargs": {}, "response_metadata": {}, "id": None, "name": None,
}  # fmt: skip
_ERRORS: Final = (LookupError, TypeError, ValueError, AttributeError)
_SAID: Final = ("content", "tool_calls", "invalid_tool_calls")
_COUNTS: Final = frozenset({"input_tokens", "output_tokens", "total_tokens"})


def to_item(message: BaseMessage) -> Item:
    """The item of a message, without an id; `to_message` gives the message back as it was.

    A chunk is taken as the message it is a part of. A message that a harness wrote
    (`additional_kwargs["lc_source"]`) is a `notice`, which no window shows.

    Raises:
        InputError: it is no message.
    """
    if not isinstance(message, BaseMessage):
        raise InputError(f"a message must be a BaseMessage, got {type(message).__name__}")
    if isinstance(message, BaseMessageChunk):
        message = message_chunk_to_message(message)
    if type(message) is HumanMessage and _is_words(message):
        return Item(content=str(message.content))
    kind = next((name for name, cls in _KINDS.items() if isinstance(message, cls)), "chat")
    said = {**message.__dict__, **(message.__pydantic_extra__ or {})}
    custom = said.pop("type")
    if kind == "chat":
        said.setdefault("role", custom)  # a class of its own, with a `type` nobody else knows
    item, parts = _neutral(kind, said)
    usual = _fields(item, kind)
    kept = {name: pack(value) for name, value in said.items() if not _same(usual, name, value)}
    if parts is not None:
        kept["content"] = parts
    elif item.content == said["content"]:
        kept.pop("content", None)
    if kind != _USUAL.get(item.role):
        kept["type"] = kind
    return dataclasses.replace(item, raw={"format": FORMAT, "data": kept}) if kept else item


def to_message(item: Item) -> BaseMessage:
    """The message of an item: as it was if LangChain wrote it, else in LangChain's words.

    What was edited since comes back as edited.
    """
    kept = _kept(item)
    if kept is None:
        return fast_path.message(item) or _foreign(item)
    if any(name in kept for name in _SAID):
        try:
            message = _made(item, kept)
            neutral = to_item(message)
            if all(getattr(neutral, f) == getattr(item, f) for f in ("content", "tool_calls")):
                return message
        except _ERRORS:
            pass  # not what its fields say any more
        kept = {name: value for name, value in kept.items() if name not in _SAID}
    try:
        return _made(item, kept)
    except _ERRORS:
        return _foreign(item)


def message_id(item: Item) -> str | None:
    """The framework's own id of the message in an item."""
    found = (_kept(item) or {}).get("id")
    return found if isinstance(found, str) and found else None


def is_own(item: Item) -> bool:
    """Whether LangChain wrote it, and something beside its neutral fields."""
    return item.raw is not None and item.raw.get("format") == FORMAT


def is_notice(message: BaseMessage) -> bool:
    """Whether a harness wrote it, and no person: a summary, a word of a background task."""
    return bool(message.additional_kwargs.get("lc_source"))


def whole(messages: Iterable[BaseMessage]) -> list[BaseMessage]:
    """The messages, chunks as what they are a part of."""
    return [
        message_chunk_to_message(message) if isinstance(message, BaseMessageChunk) else message
        for message in messages
    ]


def _kept(item: Item) -> dict[str, Packed] | None:
    data = item.raw.get("data") if item.raw is not None and is_own(item) else None
    return data if isinstance(data, dict) else None


def _neutral(kind: str, said: Mapping[str, Any]) -> tuple[Item, Packed | None]:
    text, parts = content_codec.read(said["content"])
    about = said.get("response_metadata") or {}
    model = about.get("model_name") or about.get("model")
    usage = said.get("usage_metadata")
    notice = kind == "remove" or bool(said["additional_kwargs"].get("lc_source"))
    result = kind in ("tool", "function")
    name = said.get("name")
    item = Item(
        type="notice" if notice else "tool_result" if result else "message",
        role=_ROLES.get(kind) or str(said.get("role") or "unknown"),
        name=name if isinstance(name, str) and name else None,
        content=text,
        tool_calls=tool_call_codec.read(said) if kind == "ai" else [],
        tool_call_id=said.get("tool_call_id"),
        status="error" if said.get("status") == "error" else None,
        model=model if isinstance(model, str) and model else None,
        usage=usage if isinstance(usage, dict) and pack(usage) == usage else None,
    )
    return item, parts


def _fields(item: Item, kind: str) -> dict[str, Any]:
    """What a message of this kind says, as far as the neutral fields know."""
    found: dict[str, Any] = {**_SHARED, "name": item.name, "content": item.content}
    match kind:
        case "ai":
            found |= tool_call_codec.write(item.tool_calls)
            usage = item.usage
            counted = usage is not None and usage.keys() >= _COUNTS
            found["usage_metadata"] = usage if counted else None
        case "tool":
            status = "error" if item.status == "error" else "success"
            found |= {"tool_call_id": item.tool_call_id or "", "artifact": None, "status": status}
        case "chat":
            found["role"] = item.role
    return found


def _is_words(message: BaseMessage) -> bool:
    said = message.__dict__
    return type(said["content"]) is str and not (
        said["id"]
        or said["name"]
        or said["additional_kwargs"]
        or said["response_metadata"]
        or message.__pydantic_extra__
    )


def _same(usual: Mapping[str, Any], name: str, value: Any) -> bool:
    return name in usual and type(usual[name]) is type(value) and bool(usual[name] == value)


def _made(item: Item, kept: Mapping[str, Packed]) -> BaseMessage:
    kind = str(kept.get("type") or _USUAL.get(item.role, "chat"))
    said = _fields(item, kind)
    for name, value in kept.items():
        said[name] = value if name == "content" else unpack(value)
    if isinstance(kept.get("content"), list):
        said["content"] = content_codec.write(item.content, kept["content"])
    elif isinstance(said["content"], list):
        said["content"] = unpack(said["content"])
    said.pop("type", None)
    if kind == "remove":
        del said["content"]
    if "usage_metadata" in said:
        said["usage_metadata"] = copy.deepcopy(said["usage_metadata"])
    return _KINDS[kind](**said)


def _foreign(item: Item) -> BaseMessage:
    message = _made(item, {})
    if item.role == "developer":
        message.additional_kwargs["__openai_role__"] = "developer"
    return message
