"""Parse strings, provider dicts, SDK objects and items into items, whatever their types and roles.

`threadkeep.messages.read` is the strict reader of what an application hands over.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.messages import (
    anthropic,
    openai_chat,
    openai_responses,
    schemas,
)
from threadkeep.messages.checks import NEUTRAL_TYPES, RESULT_ROLES, ROLE_ALIASES
from threadkeep.messages.fast_path import copy_plain, parse_simple, with_raw
from threadkeep.types import Item, Json
from threadkeep.types.timestamps import parse_time

PLACEHOLDERS: Final = frozenset({"", "__fake_id__"})
"""Placeholder ids, which are never used as keys."""

_FIELDS: Final = frozenset(field.name for field in dataclasses.fields(Item)) | {"text"}
_ENVELOPE_FIELDS: Final = frozenset(
    {"id", "seq", "status", "model", "usage", "metadata", "created_at", "hidden", "raw"}
)
_SEPARATE_FIELDS: Final = _ENVELOPE_FIELDS | {
    "text",
    "reasoning_content",
}  # stored in other fields of an item
_FORMATS: Final = frozenset({anthropic.FORMAT, openai_chat.FORMAT, openai_responses.FORMAT})
_CONTENT_FIELDS: Final = ("type", "role", "name", "content", "tool_calls", "tool_call_id")
_UNSENT_FIELDS: Final = frozenset(
    {"created_at", "hidden", "metadata", "model", "usage", "raw", "seq"}
)
_CALL_FIELDS: Final[tuple[tuple[str, type | tuple[type, ...], str], ...]] = (
    ("id", str, "a str"),
    ("name", str, "a str"),
    ("args", (dict, str), "a dict or a str"),
)
_FIELD_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "id": str,
    "type": str,
    "role": str,
    "name": str,
    "tool_call_id": str,
    "call_id": str,
    "status": str,
    "model": str,
    "usage": Mapping,
    "metadata": Mapping,
    "raw": Mapping,
    "hidden": bool,
}
_TYPE_NAMES: Final[Mapping[Any, str]] = {Mapping: "a dict", bool: "a bool"}


def parse(message: object, location: str = "message") -> list[Item]:
    """Parse one message into items; most are one item, a few are several.

    Accepted are a `str` (a user message), an `Item`, dicts of OpenAI Chat, OpenAI Responses
    and Anthropic or with the fields of an `Item`, and the SDKs' own objects for these, complete
    responses (`ChatCompletion`, `Response`) included.

    Raises:
        InputError: it is something else, or a field is invalid; `location` and the field are
            named.
    """
    if type(message) is dict and (item := parse_simple(message)):
        return [item]
    if isinstance(message, str):
        return [Item(content=message)]
    if isinstance(message, Item):
        return [_validated(message, location)]
    return parse_dict(as_dict(message, location), location)


def parse_dict(data: dict[str, Any], location: str, format: str | None = None) -> list[Item]:
    """Parse a dict as `parse` does; with a `format`, as one of that API.

    Raises:
        InputError: a field is invalid; `location` and the field are named.
    """
    if isinstance(data.get("choices"), list):
        return _completion(data, location)
    if is_response(data):
        return _response(data, location)
    if format is None:
        return _message(data, location)
    present = {key: value for key, value in data.items() if value is not None}
    _check_types(present, location)
    return _FORMAT_PARSERS[format](present, location)


def is_response(data: Mapping[str, Any]) -> bool:
    """Return True for a whole response of the Responses API."""
    return data.get("object") == "response" and isinstance(data.get("output"), list)


def as_dict(message: object, location: str) -> dict[str, Any]:
    """A dict, or the dump of an object that has `model_dump`.

    Raises:
        InputError: it is neither.
    """
    if isinstance(message, Mapping):
        return dict(message)
    dump = getattr(message, "model_dump", None)
    if callable(dump):
        return dict(dump(mode="json", exclude_none=True))
    if isinstance(message, (list, tuple)):
        raise InputError(
            f"{location} is a {type(message).__name__}; add its entries: add(*messages)"
        )
    raise InputError(
        f"{location} must be a str, a dict, an Item or a message object of an SDK, "
        f"got {type(message).__name__}"
    )


def _completion(data: dict[str, Any], location: str) -> list[Item]:
    if not data["choices"]:
        raise InputError(f"{location}.choices is empty: the completion holds no message")
    choice = data["choices"][0]
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(message, Mapping):
        raise InputError(f"{location}.choices[0].message is missing: is it a chunk of a stream?")
    attributes = {key: data[key] for key in ("model", "usage") if data.get(key)}
    return _message({**message, **attributes}, location)


def _response(data: dict[str, Any], location: str) -> list[Item]:
    items: list[Item] = []
    for number, entry in enumerate(data["output"]):
        entry_location = f"{location}.output[{number}]"
        items += _message(as_dict(entry, entry_location), entry_location)
    if items and data.get("model"):
        items = [dataclasses.replace(item, model=data["model"]) for item in items]
    if items and data.get("usage"):
        items[-1] = dataclasses.replace(items[-1], usage=data["usage"])
    return items


def _message(data: dict[str, Any], location: str) -> list[Item]:
    data = {key: value for key, value in data.items() if value is not None}
    _check_types(data, location)
    if anthropic.is_message(data):
        return _anthropic(data, location)
    if openai_responses.is_message(data):
        return [_responses_message(data, location)]
    kind = data.get("type", "message")
    if kind not in NEUTRAL_TYPES and not ({"role", "content"} <= data.keys()):
        return [_responses(data, location)]
    return [_chat(data, location)]


def _chat(data: dict[str, Any], location: str) -> Item:
    if "role" not in data and data.get("type") not in {"tool_call", "tool_result"}:
        raise InputError(f"{location}.role is missing; keys given: {_list_keys(data)}")
    if not data.keys() & {"content", "tool_calls", "function_call", "refusal", "audio", "text"}:
        raise InputError(f"{location}.content is missing; keys given: {_list_keys(data)}")
    role = ROLE_ALIASES.get(data.get("role", ""), data.get("role", ""))
    result = role in RESULT_ROLES or data.get("type") == "tool_result"
    fields = {
        "type": data.get("type", "tool_result" if result else "message"),
        "role": "tool" if result else role or "assistant",
        "name": data.get("name"),
        "content": openai_chat.message_content({"content": data.get("text"), **data}, location),
        "tool_calls": _neutral_calls(data, location),
        "tool_call_id": data.get("tool_call_id"),
    }
    return _item(
        data, fields, location, openai_chat.FORMAT, _chat_payload(data), openai_chat.to_message
    )


def _responses(data: dict[str, Any], location: str) -> Item:
    if data["type"] == "item_reference" and data.get("id", "") in PLACEHOLDERS:
        raise InputError(f"{location}.id is missing: a reference names the item that it stands for")
    fields = {
        "type": data["type"],
        "name": data.get("name"),
        **openai_responses.neutral_fields(data, location),
    }
    payload = {key: value for key, value in data.items() if key not in _UNSENT_FIELDS}
    return _item(data, fields, location, openai_responses.FORMAT, payload, _single_entry)


def _responses_message(data: dict[str, Any], location: str) -> Item:
    fields = {
        "role": ROLE_ALIASES.get(data["role"], data["role"]),
        "content": openai_chat.message_content(data, location),
    }
    return _item(
        data,
        fields,
        location,
        openai_responses.FORMAT,
        openai_responses.raw_message(data),
        _single_entry,
    )


def _single_entry(item: Item) -> dict[str, Any] | None:
    return next(iter(openai_responses.to_entries(item)), None)


def _anthropic(data: dict[str, Any], location: str) -> list[Item]:
    attributes = {key: value for key, value in data.items() if key != "type"}
    parts = anthropic.split_message({"role": data["role"], "content": data["content"]}, location)
    if len(parts) > 1:
        attributes.pop("id", None)  # it would be the id of several items
    for fields, _ in parts:
        _check_calls(fields["tool_calls"], location)
    return [
        _item(attributes, fields, location, anthropic.FORMAT, payload, anthropic.to_message)
        for fields, payload in parts
    ]


def _item(
    data: dict[str, Any],
    fields: dict[str, Any],
    location: str,
    format_: str,
    payload: dict[str, Any] | None,
    serialize: Callable[[Item], dict[str, Any] | None],
) -> Item:
    """Build the item; the raw payload is stored only if the neutral fields lose something."""
    created_at = data.get("created_at")
    attributes: dict[str, Any] = {
        "id": "" if data.get("id") in PLACEHOLDERS else data.get("id", ""),
        "metadata": dict(data.get("metadata", {})),
        "created_at": None
        if created_at is None
        else parse_time(created_at, f"{location}.created_at"),
        **{
            key: data[key] for key in ("status", "model", "usage", "hidden", "raw") if data.get(key)
        },
    }
    item = Item(
        **(attributes | {key: value for key, value in fields.items() if value not in (None, "")})
    )
    if item.raw is not None:
        return _without_stale_raw(item, location)
    if payload is None or serialize(item) == payload:
        return item
    return with_raw(item, {"format": format_, "data": payload})


def _without_stale_raw(item: Item, location: str) -> Item:
    """Drop a raw payload that no longer matches the item, which was edited since."""
    raw = item.raw or {}
    if str(raw.get("format")) not in _FORMATS:
        return item
    try:
        reparsed = _message({**raw["data"], **_reasoning_field(item)}, location)
    except (InputError, KeyError, TypeError, ValueError):
        reparsed = []
    same = len(reparsed) == 1 and all(
        getattr(reparsed[0], f) == getattr(item, f) for f in _CONTENT_FIELDS
    )
    return item if same else dataclasses.replace(item, raw=None)


def _reasoning_field(item: Item) -> dict[str, Any]:
    """The `reasoning_content` of a chat message, which its raw payload does not include."""
    first = item.content[0] if item.content and not isinstance(item.content, str) else {}
    if item.raw is None or item.raw.get("format") != openai_chat.FORMAT:
        return {}
    return {"reasoning_content": first["reasoning"]} if first.get("type") == "reasoning" else {}


def _chat_payload(data: dict[str, Any]) -> dict[str, Any] | None:
    """The raw payload of a Chat Completions message, or `None` for another format."""
    if data.get("type", "message") != "message" or data["role"] in ROLE_ALIASES:
        return None
    payload = {
        key: value
        for key, value in data.items()
        if key not in _SEPARATE_FIELDS and (value != [] or key == "content")
    }
    payload.setdefault("content", None)
    sent = {key: value for key, value in payload.items() if key in openai_chat.MESSAGE_KEYS}
    return payload if schemas.is_chat_message(sent) else None


def _as_anthropic(data: dict[str, Any], location: str) -> list[Item]:
    if isinstance(data.get("content"), (list, tuple)) and "role" in data:
        return _anthropic({**data, "content": list(data["content"])}, location)
    return [_chat(data, location)]


def _as_responses(data: dict[str, Any], location: str) -> list[Item]:
    if data.get("type", "message") != "message":
        return [_responses(data, location)]
    if "role" not in data:
        raise InputError(f"{location}.role is missing; keys given: {_list_keys(data)}")
    return [_responses_message(data, location)]


_FORMAT_PARSERS: Final[Mapping[str, Callable[[dict[str, Any], str], list[Item]]]] = {
    "anthropic": _as_anthropic,
    "openai-chat": lambda data, location: [_chat(data, location)],
    "openai-responses": _as_responses,
}
FORMATS: Final = tuple(_FORMAT_PARSERS)
"""The names of the formats that `parse_dict` takes."""


def _neutral_calls(data: dict[str, Any], location: str) -> list[dict[str, Json]]:
    tool_calls = data.get("tool_calls", [])
    if not isinstance(tool_calls, (list, tuple)):
        raise InputError(f"{location}.tool_calls must be a list, got {type(tool_calls).__name__}")
    for number, call in enumerate(tool_calls):
        _check_call(call, f"{location}.tool_calls[{number}]")
    calls = openai_chat.neutral_calls(data)
    _check_calls(calls, location)
    return calls


def _check_call(call: object, location: str) -> None:
    if not isinstance(call, Mapping):
        raise InputError(f"{location} must be a dict, got {type(call).__name__}")
    for key in ("function", "custom"):
        if call.get(key) and not isinstance(call[key], Mapping):
            raise InputError(f"{location}.{key} must be a dict, got {type(call[key]).__name__}")


def _check_calls(calls: list[dict[str, Json]], location: str) -> None:
    for number, call in enumerate(calls):
        for field, types, expected in _CALL_FIELDS:
            if not isinstance(call[field], types):
                raise InputError(
                    f"{location}.tool_calls[{number}].{field} must be {expected}, "
                    f"got {type(call[field]).__name__}"
                )


def _validated(item: Item, location: str) -> Item:
    """Validate an application's item as strictly as a dict with its fields."""
    copy = copy_plain(item)
    if copy is not None and (not copy.id or copy.id not in PLACEHOLDERS):
        return copy
    fields = {name: getattr(item, name) for name in _FIELDS - {"text", "seq"}}
    _check_types({key: value for key, value in fields.items() if value is not None}, location)
    content = openai_chat.message_content({"content": item.content}, location)
    calls = _neutral_calls({"tool_calls": item.tool_calls}, location)
    created_at = (
        None if item.created_at is None else parse_time(item.created_at, f"{location}.created_at")
    )
    item_id = "" if item.id in PLACEHOLDERS else item.id
    checked = dataclasses.replace(
        item, id=item_id, seq=0, content=content, tool_calls=calls, created_at=created_at
    )
    return _without_stale_raw(checked, location)


def _check_types(data: Mapping[str, Any], location: str) -> None:
    for key, kind in _FIELD_TYPES.items():
        value = data.get(key)
        if value is not None and not isinstance(value, kind):
            expected = _TYPE_NAMES.get(kind, "a str")
            raise InputError(f"{location}.{key} must be {expected}, got {type(value).__name__}")
    if data.get("type") == "" or data.get("role") == "":
        raise InputError(f"{location}.{'type' if data.get('type') == '' else 'role'} is empty")


def _list_keys(data: Mapping[str, Any]) -> str:
    return ", ".join(sorted(map(str, data)))[:200] or "none"
