"""Read LangChain messages, and their dumps, without importing LangChain.

The payload is the one that `langchain_threadkeep` stores, which restores the message from it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.messages import langchain_content
from threadkeep.messages.arguments import parse_arguments
from threadkeep.messages.checks import ROLE_ALIASES, check_role
from threadkeep.printable import shown
from threadkeep.types import Item, Json

FORMAT: Final = "langchain/1"

_ROLES: Final = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool",
                 "function": "tool"}  # fmt: skip
_DEFAULT_KINDS: Final = {"user": "human", "assistant": "ai", "system": "system",
                         "developer": "system", "tool": "tool"}  # fmt: skip
_KINDS: Final = frozenset({*_ROLES, "chat", "remove"})
_CHUNK: Final = "MessageChunk"
_CHUNK_FIELDS: Final = ("tool_call_chunks", "chunk_position")
_STORED_KEYS: Final = frozenset({"type", "data"})
_USAGE_FIELDS: Final = frozenset({"input_tokens", "output_tokens", "total_tokens"})


def is_message(message: object) -> bool:
    """Return True for an object of LangChain's message classes."""
    return any(
        base.__name__ == "BaseMessage" and base.__module__.startswith("langchain")
        for base in type(message).__mro__
    )


def is_dump(dump: Mapping[str, Any]) -> bool:
    """Return True for a dict of `messages_to_dict`, `message.model_dump()` or `dumpd(message)`."""
    if dump.get("type") == "constructor" and isinstance(dump.get("lc"), int):
        return True
    message_kind = _kind(dump.get("type"))
    if message_kind is None:
        return False
    if dump.keys() == _STORED_KEYS:
        return isinstance(dump["data"], Mapping)
    return "content" in dump and (message_kind == "chat" or "role" not in dump)


def read_message(message: Any, location: str) -> list[Item]:
    """Read a message object."""
    message_fields = {**message.__dict__, **(getattr(message, "__pydantic_extra__", None) or {})}
    return [_item(message_fields, location)]


def read_dump(dump: Mapping[str, Any], location: str) -> list[Item]:
    """Read a dumped message."""
    if dump.get("type") == "constructor":
        return [_item(_constructor_fields(dump, location), location)]
    if dump.keys() == _STORED_KEYS:
        return [_item({"type": dump["type"], **dump["data"]}, location)]
    return [_item(dump, location)]


def record_id(item: Item, turn: str | None) -> str:
    """The id of a message as `langchain_threadkeep` derives it; empty = a new one.

    Models and caches repeat ids in later turns, so an answer's id holds only within its turn.
    """
    message_id = _own_id(item)
    if not message_id or message_id == "__fake_id__" or opens_turn(item):
        return "" if message_id == "__fake_id__" else message_id
    if not turn:
        return ""
    message_kind = _stored_kind(item)
    return f"{message_id}@{turn}" if message_kind == "ai" else f"{message_id}@{turn}:{message_kind}"


def opens_turn(item: Item) -> bool:
    """Return True if a user wrote the message."""
    return item.type == "message" and _stored_kind(item) == "human"


def _own_id(item: Item) -> str:
    message_id = ((item.raw or {}).get("data") or {}).get("id")
    return message_id if isinstance(message_id, str) else ""


def _stored_kind(item: Item) -> str:
    message_kind = ((item.raw or {}).get("data") or {}).get("type")
    if message_kind == "chat":
        return item.role
    return str(message_kind or _DEFAULT_KINDS.get(item.role, "chat"))


def _kind(type_name: object) -> str | None:
    if not isinstance(type_name, str):
        return None
    message_kind = (
        type_name.removesuffix(_CHUNK).lower() if type_name.endswith(_CHUNK) else type_name
    )
    return message_kind if message_kind in _KINDS else None


def _constructor_fields(dump: Mapping[str, Any], location: str) -> dict[str, Any]:
    """The fields of a message that `dumpd` wrote."""
    class_path, message_fields = dump.get("id"), dump.get("kwargs")
    class_name = str(class_path[-1]) if isinstance(class_path, (list, tuple)) and class_path else ""
    message_kind = class_name.removesuffix("Chunk").removesuffix("Message").lower()
    if message_kind not in _KINDS or not isinstance(message_fields, Mapping):
        raise InputError(
            f"{location} is a serialized {shown(class_name, 40)}, which is not a message"
        )
    return {"type": message_kind, **message_fields}


def _check_fields(fields: Mapping[str, Any], location: str) -> None:
    for field_name in ("additional_kwargs", "response_metadata"):
        if not isinstance(fields.get(field_name) or {}, Mapping):
            raise InputError(f"{location}.{field_name} must be a dict")
    for field_name in ("tool_calls", "invalid_tool_calls"):
        raw_calls = fields.get(field_name) or []
        if not isinstance(raw_calls, (list, tuple)) or not all(
            isinstance(call, Mapping) for call in raw_calls
        ):
            raise InputError(f"{location}.{field_name} must be a list of dicts")


def _item(source: Mapping[str, Any], location: str) -> Item:
    message_fields = {key: value for key, value in source.items() if key not in _CHUNK_FIELDS}
    _check_fields(message_fields, location)
    type_name = message_fields.pop("type", None)
    message_kind = _kind(type_name) or "chat"
    if message_kind == "remove":
        raise InputError(
            f"{location} is a RemoveMessage, which changes a graph's state: "
            f"delete stored items with chat.remove(id)"
        )
    if message_kind == "chat":
        message_fields.setdefault("role", type_name)  # a custom class with a `type` of its own
    item, raw_content = _neutral_item(message_kind, message_fields, location)
    default_fields = _default_fields(item, message_kind)
    extra_fields = {
        field_name: value
        for field_name, value in message_fields.items()
        if not _is_same(default_fields, field_name, value)
    }
    if raw_content is not None:
        extra_fields["content"] = raw_content
    elif item.content == message_fields["content"]:
        extra_fields.pop("content", None)
    if message_kind != _DEFAULT_KINDS.get(item.role):
        extra_fields["type"] = message_kind
    _check_json(extra_fields, location)
    return (
        dataclasses.replace(item, raw={"format": FORMAT, "data": extra_fields})
        if extra_fields
        else item
    )


def _check_json(extra_fields: Mapping[str, Any], location: str) -> None:
    for field_name, field_value in extra_fields.items():
        try:
            json.dumps(field_value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{location}.{field_name} is not JSON; ThreadkeepChatMessageHistory of "
                f"langchain-threadkeep stores Python objects too"
            ) from error


def _neutral_item(kind: str, fields: dict[str, Any], location: str) -> tuple[Item, Json]:
    content, raw_content = langchain_content.read(fields.setdefault("content", ""), location)
    extra_kwargs = fields.get("additional_kwargs") or {}
    response_metadata = fields.get("response_metadata") or {}
    usage = fields.get("usage_metadata")
    item = Item(
        type="notice" if extra_kwargs.get("lc_source") else _type(kind),
        role=_ROLES.get(kind) or _chat_role(fields.get("role"), location),
        name=_text(fields.get("name")),
        content=content,
        tool_calls=_calls(fields, extra_kwargs) if kind == "ai" else [],
        tool_call_id=fields.get("tool_call_id"),
        status="error" if fields.get("status") == "error" else None,
        model=_text(response_metadata.get("model_name") or response_metadata.get("model")),
        usage=usage if isinstance(usage, dict) else None,
    )
    return item, raw_content


def _chat_role(role: object, location: str) -> str:
    if not isinstance(role, str) or not role:
        raise InputError(f"{location}.role must be a str, got {type(role).__name__}")
    check_role(role, f"{location}.role")
    return ROLE_ALIASES.get(role, role)


def _type(kind: str) -> str:
    return "tool_result" if kind in ("tool", "function") else "message"


def _default_fields(item: Item, kind: str) -> dict[str, Any]:
    """The fields of a message that follow from the neutral ones."""
    default_fields: dict[str, Any] = {
        "additional_kwargs": {}, "response_metadata": {}, "id": None,
        "name": item.name, "content": item.content,
    }  # fmt: skip
    if kind == "ai":
        has_full_usage = item.usage is not None and item.usage.keys() >= _USAGE_FIELDS
        default_fields |= _framework_calls(item.tool_calls)
        default_fields["usage_metadata"] = item.usage if has_full_usage else None
    elif kind == "tool":
        result_status = "error" if item.status == "error" else "success"
        default_fields |= {
            "tool_call_id": item.tool_call_id or "",
            "artifact": None,
            "status": result_status,
        }
    elif kind == "chat":
        default_fields["role"] = item.role
    return default_fields


def _calls(fields: Mapping[str, Any], extra_kwargs: Mapping[str, Any]) -> list[dict[str, Json]]:
    """The calls, valid and invalid: providers expect an answer to each."""
    calls = [_call(call, call.get("args")) for call in fields.get("tool_calls") or ()]
    invalid_calls = fields.get("invalid_tool_calls") or ()
    calls += [_call(call, parse_arguments(str(call.get("args") or ""))) for call in invalid_calls]
    legacy_call = extra_kwargs.get("function_call")
    if not calls and isinstance(legacy_call, Mapping):
        calls = [_call(legacy_call, parse_arguments(str(legacy_call.get("arguments") or "")))]
    return calls


def _call(call: Mapping[str, Any], args: Any) -> dict[str, Json]:
    args = args if isinstance(args, (dict, str)) else {}
    return {"id": str(call.get("id") or ""), "name": str(call.get("name") or ""), "args": args}


def _framework_calls(calls: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    valid_calls = [call for call in calls if isinstance(call["args"], dict)]
    invalid_calls = [call for call in calls if not isinstance(call["args"], dict)]
    return {
        "tool_calls": [{**call, "type": "tool_call"} for call in valid_calls],
        "invalid_tool_calls": [
            {**call, "error": None, "type": "invalid_tool_call"} for call in invalid_calls
        ],
    }


def _is_same(defaults: Mapping[str, Any], name: str, value: Any) -> bool:
    return (
        name in defaults and type(defaults[name]) is type(value) and bool(defaults[name] == value)
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
