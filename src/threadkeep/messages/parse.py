"""Whatever an application holds, as items: texts, dicts of any provider, SDK objects, items."""

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
from threadkeep.messages.fast_path import simple, with_raw, words
from threadkeep.types import Item, Json
from threadkeep.types.timestamps import when

PLACEHOLDERS: Final = frozenset({"", "__fake_id__"})
"""Ids that say nothing: they are never keys."""

_FIELDS: Final = frozenset(field.name for field in dataclasses.fields(Item)) | {"text"}
_OURS: Final = frozenset({"id", "seq", "status", "model", "usage", "metadata", "created_at", "raw"})
_ELSEWHERE: Final = _OURS | {"text", "reasoning_content"}  # in neutral fields of their own
_ROLES: Final = {"human": "user", "ai": "assistant", "model": "assistant", "chatbot": "assistant"}
_RESULTS: Final = frozenset({"tool", "function"})
_FORMATS: Final = frozenset({anthropic.FORMAT, openai_chat.FORMAT, openai_responses.FORMAT})
_SAID: Final = ("type", "role", "name", "content", "tool_calls", "tool_call_id")
_NEUTRAL_TYPES: Final = frozenset({"message", "tool_call", "tool_result", "notice"})
_NEVER_SENT: Final = frozenset({"created_at", "metadata", "model", "usage", "raw", "seq"})
_CALL_FIELDS: Final[tuple[tuple[str, type | tuple[type, ...], str], ...]] = (
    ("id", str, "a str"),
    ("name", str, "a str"),
    ("args", (dict, str), "a dict or a str"),
)
_TEXTS: Final[Mapping[str, type | tuple[type, ...]]] = {
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
}


def parse(message: object, where: str = "message") -> list[Item]:
    """The items of one thing handed to `add`; most are one item, a few are several.

    Understood are a `str` (a user message), an `Item`, dicts of OpenAI Chat, OpenAI Responses
    and Anthropic or with the fields of an `Item`, and the SDKs' own objects for these, whole
    answers (`ChatCompletion`, `Response`) included.

    Raises:
        InputError: it is something else, or a field is not what it should be; `where` and the
            field are named.
    """
    if type(message) is dict and (item := simple(message)):
        return [item]
    if isinstance(message, str):
        return [Item(content=message)]
    if isinstance(message, Item):
        return [_checked(message, where)]
    data = _as_dict(message, where)
    if isinstance(data.get("choices"), list):
        return _completion(data, where)
    if data.get("object") == "response" and isinstance(data.get("output"), list):
        return _response(data, where)
    return _message(data, where)


def _as_dict(message: object, where: str) -> dict[str, Any]:
    if isinstance(message, Mapping):
        return dict(message)
    dump = getattr(message, "model_dump", None)
    if callable(dump):
        return dict(dump(mode="json", exclude_none=True))
    if isinstance(message, (list, tuple)):
        raise InputError(f"{where} is a {type(message).__name__}; add its entries: add(*messages)")
    raise InputError(
        f"{where} must be a str, a dict, an Item or a message object of an SDK, "
        f"got {type(message).__name__}"
    )


def _completion(data: dict[str, Any], where: str) -> list[Item]:
    if not data["choices"]:
        raise InputError(f"{where}.choices is empty: the completion holds no message")
    choice = data["choices"][0]
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(message, Mapping):
        raise InputError(f"{where}.choices[0].message is missing: is it a chunk of a stream?")
    about = {key: data[key] for key in ("model", "usage") if data.get(key)}
    return _message({**message, **about}, where)


def _response(data: dict[str, Any], where: str) -> list[Item]:
    found: list[Item] = []
    for number, entry in enumerate(data["output"]):
        at = f"{where}.output[{number}]"
        found += _message(_as_dict(entry, at), at)
    if found and data.get("model"):
        found = [dataclasses.replace(item, model=data["model"]) for item in found]
    if found and data.get("usage"):
        found[-1] = dataclasses.replace(found[-1], usage=data["usage"])
    return found


def _message(data: dict[str, Any], where: str) -> list[Item]:
    data = {key: value for key, value in data.items() if value is not None}
    _check_types(data, where)
    if anthropic.is_message(data):
        return _anthropic(data, where)
    if openai_responses.is_message(data):
        return [_responses_message(data, where)]
    kind = data.get("type", "message")
    if kind not in _NEUTRAL_TYPES and not ({"role", "content"} <= data.keys()):
        return [_responses(data, where)]
    return [_chat(data, where)]


def _chat(data: dict[str, Any], where: str) -> Item:
    if "role" not in data and data.get("type") not in {"tool_call", "tool_result"}:
        raise InputError(f"{where}.role is missing; keys given: {_keys(data)}")
    if not data.keys() & {"content", "tool_calls", "function_call", "refusal", "audio", "text"}:
        raise InputError(f"{where}.content is missing; keys given: {_keys(data)}")
    role = _ROLES.get(data.get("role", ""), data.get("role", ""))
    result = role in _RESULTS or data.get("type") == "tool_result"
    fields = {
        "type": data.get("type", "tool_result" if result else "message"),
        "role": "tool" if result else role or "assistant",
        "name": data.get("name"),
        "content": openai_chat.read_content({"content": data.get("text"), **data}, where),
        "tool_calls": _calls(data, where),
        "tool_call_id": data.get("tool_call_id"),
    }
    return _item(data, fields, where, openai_chat.FORMAT, _chat_wire(data), openai_chat.wire)


def _responses(data: dict[str, Any], where: str) -> Item:
    if data["type"] == "item_reference" and data.get("id", "") in PLACEHOLDERS:
        raise InputError(f"{where}.id is missing: a reference names the item that it stands for")
    fields = {
        "type": data["type"],
        "name": data.get("name"),
        **openai_responses.fields(data, where),
    }
    kept = {key: value for key, value in data.items() if key not in _NEVER_SENT}
    return _item(data, fields, where, openai_responses.FORMAT, kept, _sole)


def _responses_message(data: dict[str, Any], where: str) -> Item:
    fields = {
        "role": _ROLES.get(data["role"], data["role"]),
        "content": openai_chat.read_content(data, where),
    }
    return _item(
        data, fields, where, openai_responses.FORMAT, openai_responses.message(data), _sole
    )


def _sole(item: Item) -> dict[str, Any] | None:
    return next(iter(openai_responses.wire(item)), None)


def _anthropic(data: dict[str, Any], where: str) -> list[Item]:
    about = {key: value for key, value in data.items() if key != "type"}
    parts = anthropic.split({"role": data["role"], "content": data["content"]}, where)
    if len(parts) > 1:
        about.pop("id", None)  # which would be the key of several items
    for fields, _ in parts:
        _check_calls(fields["tool_calls"], where)
    return [
        _item(about, fields, where, anthropic.FORMAT, wire, anthropic.wire)
        for fields, wire in parts
    ]


def _item(
    data: dict[str, Any],
    fields: dict[str, Any],
    where: str,
    format_: str,
    wire: dict[str, Any] | None,
    back: Callable[[Item], dict[str, Any] | None],
) -> Item:
    """The item of neutral fields, with the payload itself only where the fields lose something."""
    said = data.get("created_at")
    about: dict[str, Any] = {
        "id": "" if data.get("id") in PLACEHOLDERS else data.get("id", ""),
        "metadata": dict(data.get("metadata", {})),
        "created_at": None if said is None else when(said, f"{where}.created_at"),
        **{key: data[key] for key in ("status", "model", "usage", "raw") if data.get(key)},
    }
    item = Item(
        **(about | {key: value for key, value in fields.items() if value not in (None, "")})
    )
    if item.raw is not None:
        return _honest(item, where)
    if wire is None or back(item) == wire:
        return item
    return with_raw(item, {"format": format_, "data": wire})


def _honest(item: Item, where: str) -> Item:
    """The item, without a payload of ours that says something else: it was edited since."""
    raw = item.raw or {}
    if str(raw.get("format")) not in _FORMATS:
        return item
    try:
        came = _message({**raw["data"], **_thought(item)}, where)
    except (InputError, KeyError, TypeError, ValueError):
        came = []
    same = len(came) == 1 and all(getattr(came[0], f) == getattr(item, f) for f in _SAID)
    return item if same else dataclasses.replace(item, raw=None)


def _thought(item: Item) -> dict[str, Any]:
    """What stood beside a message of Chat Completions and is never sent back, so is not kept."""
    first = item.content[0] if item.content and not isinstance(item.content, str) else {}
    if item.raw is None or item.raw.get("format") != openai_chat.FORMAT:
        return {}
    return {"reasoning_content": first["reasoning"]} if first.get("type") == "reasoning" else {}


def _chat_wire(data: dict[str, Any]) -> dict[str, Any] | None:
    """What to keep verbatim of a message in the shape of Chat Completions, if it is in that."""
    if data.get("type", "message") != "message" or data["role"] in _ROLES:
        return None
    wire = {
        key: value
        for key, value in data.items()
        if key not in _ELSEWHERE and (value != [] or key == "content")
    }
    wire.setdefault("content", None)
    sent = {key: value for key, value in wire.items() if key in openai_chat.KEYS}
    return wire if schemas.chat(sent) else None


def _calls(data: dict[str, Any], where: str) -> list[dict[str, Json]]:
    given = data.get("tool_calls", [])
    if not isinstance(given, (list, tuple)):
        raise InputError(f"{where}.tool_calls must be a list, got {type(given).__name__}")
    for number, call in enumerate(given):
        _check_call(call, f"{where}.tool_calls[{number}]")
    found = openai_chat.calls(data)
    _check_calls(found, where)
    return found


def _check_call(call: object, where: str) -> None:
    if not isinstance(call, Mapping):
        raise InputError(f"{where} must be a dict, got {type(call).__name__}")
    for key in ("function", "custom"):
        if call.get(key) and not isinstance(call[key], Mapping):
            raise InputError(f"{where}.{key} must be a dict, got {type(call[key]).__name__}")


def _check_calls(calls: list[dict[str, Json]], where: str) -> None:
    for number, call in enumerate(calls):
        for field, kinds, wanted in _CALL_FIELDS:
            if not isinstance(call[field], kinds):
                raise InputError(
                    f"{where}.tool_calls[{number}].{field} must be {wanted}, "
                    f"got {type(call[field]).__name__}"
                )


def _checked(item: Item, where: str) -> Item:
    """An item made by the application, as strict as if its fields stood in a dict."""
    plain = words(item)
    if plain is not None and (not plain.id or plain.id not in PLACEHOLDERS):
        return plain
    fields = {name: getattr(item, name) for name in _FIELDS - {"text", "seq"}}
    _check_types({key: value for key, value in fields.items() if value is not None}, where)
    content = openai_chat.read_content({"content": item.content}, where)
    calls = _calls({"tool_calls": item.tool_calls}, where)
    said = None if item.created_at is None else when(item.created_at, f"{where}.created_at")
    name = "" if item.id in PLACEHOLDERS else item.id
    checked = dataclasses.replace(
        item, id=name, seq=0, content=content, tool_calls=calls, created_at=said
    )
    return _honest(checked, where)


def _check_types(data: Mapping[str, Any], where: str) -> None:
    for key, kind in _TEXTS.items():
        value = data.get(key)
        if value is not None and not isinstance(value, kind):
            wanted = "a dict" if kind is Mapping else "a str"
            raise InputError(f"{where}.{key} must be {wanted}, got {type(value).__name__}")
    if data.get("type") == "" or data.get("role") == "":
        raise InputError(f"{where}.{'type' if data.get('type') == '' else 'role'} is empty")


def _keys(data: Mapping[str, Any]) -> str:
    return ", ".join(sorted(map(str, data)))[:200] or "none"
