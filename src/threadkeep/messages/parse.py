"""Parse strings, provider dicts, SDK objects and items into items, whatever their types and roles.

`threadkeep.messages.read` is the strict reader of what an application hands over; the formats of
providers are read by `parse_chat`, `parse_responses` and `parse_anthropic`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.messages import (
    anthropic,
    anthropic_blocks,
    openai_chat,
    openai_responses,
    parse_anthropic,
    parse_responses,
)
from threadkeep.messages.build_item import PLACEHOLDERS
from threadkeep.messages.checks import NEUTRAL_TYPES
from threadkeep.messages.fast_path import copy_plain, parse_simple
from threadkeep.messages.field_checks import check_types, list_keys, neutral_calls
from threadkeep.messages.parse_chat import parse_chat, reasoning_field
from threadkeep.types import Item
from threadkeep.types.timestamps import parse_time

_FIELDS: Final = frozenset(field.name for field in dataclasses.fields(Item)) | {"text"}
_FORMATS: Final = frozenset({anthropic_blocks.FORMAT, openai_chat.FORMAT, openai_responses.FORMAT})
_CONTENT_FIELDS: Final = ("type", "role", "name", "content", "tool_calls", "tool_call_id")


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
        if type(message.seq) is not int:  # given by position: the first fields are id and seq
            raise InputError(f"{location}: write Item(role=..., content=...), with keywords")
        return [_validated(message, location)]
    return parse_dict(as_dict(message, location), location)


def parse_dict(message: dict[str, Any], location: str, format: str | None = None) -> list[Item]:
    """Parse a dict as `parse` does; with a `format`, as one of that API.

    Raises:
        InputError: a field is invalid; `location` and the field are named.
    """
    if isinstance(message.get("choices"), list):
        return _completion(message, location)
    if is_response(message):
        return _response(message, location)
    if format is None:
        return _message(message, location)
    present_fields = {key: value for key, value in message.items() if value is not None}
    check_types(present_fields, location)
    items = _FORMAT_PARSERS[format](present_fields, location)
    return _checked(items, location) if message.get("raw") else items


def is_response(message: Mapping[str, Any]) -> bool:
    """Return True for a whole response of the Responses API."""
    return message.get("object") == "response" and isinstance(message.get("output"), list)


def as_dict(message: object, location: str) -> dict[str, Any]:
    """A dict, or the dump of an object that has `model_dump`.

    Raises:
        InputError: it is neither.
    """
    if isinstance(message, Mapping):
        return dict(message)
    dump_method = getattr(message, "model_dump", None)
    if callable(dump_method):
        return dict(dump_method(mode="json", exclude_none=True))
    if isinstance(message, (list, tuple)):
        raise InputError(
            f"{location} is a {type(message).__name__}; add its entries: add(*messages)"
        )
    raise InputError(
        f"{location} must be a str, a dict, an Item or a message object of an SDK, "
        f"got {type(message).__name__}"
    )


def _completion(completion: dict[str, Any], location: str) -> list[Item]:
    if not completion["choices"]:
        raise InputError(f"{location}.choices is empty: the completion holds no message")
    first_choice = completion["choices"][0]
    raw_message = first_choice.get("message") if isinstance(first_choice, Mapping) else None
    if not isinstance(raw_message, Mapping):
        raise InputError(f"{location}.choices[0].message is missing: is it a chunk of a stream?")
    shared_fields = {key: completion[key] for key in ("model", "usage") if completion.get(key)}
    return _message({**raw_message, **shared_fields}, location)


def _response(response: dict[str, Any], location: str) -> list[Item]:
    items: list[Item] = []
    for entry_number, output_entry in enumerate(response["output"]):
        entry_location = f"{location}.output[{entry_number}]"
        items += _message(as_dict(output_entry, entry_location), entry_location)
    if items and response.get("model"):
        items = [dataclasses.replace(item, model=response["model"]) for item in items]
    if items and response.get("usage"):
        items[-1] = dataclasses.replace(items[-1], usage=response["usage"])
    return items


def _message(message: dict[str, Any], location: str) -> list[Item]:
    items = _parse_any(message, location)
    return _checked(items, location) if message.get("raw") else items


def _checked(items: list[Item], location: str) -> list[Item]:
    return [item if item.raw is None else _without_stale_raw(item, location) for item in items]


def _parse_any(message: dict[str, Any], location: str) -> list[Item]:
    message = {key: value for key, value in message.items() if value is not None}
    check_types(message, location)
    if anthropic.is_message(message):
        return parse_anthropic.parse_message(message, location)
    if parse_responses.is_message(message):
        return [parse_responses.parse_message(message, location)]
    message_type = message.get("type", "message")
    if message_type not in NEUTRAL_TYPES and not ({"role", "content"} <= message.keys()):
        return [parse_responses.parse_entry(message, location)]
    return [parse_chat(message, location)]


def _without_stale_raw(item: Item, location: str) -> Item:
    """Drop a raw payload that no longer matches the item, which was edited since."""
    raw_envelope = item.raw or {}
    if str(raw_envelope.get("format")) not in _FORMATS:
        return item
    try:
        reparsed_items = _message({**raw_envelope["data"], **reasoning_field(item)}, location)
    except (InputError, KeyError, TypeError, ValueError):
        reparsed_items = []
    is_same = len(reparsed_items) == 1 and all(
        getattr(reparsed_items[0], field_name) == getattr(item, field_name)
        for field_name in _CONTENT_FIELDS
    )
    return item if is_same else dataclasses.replace(item, raw=None)


def _validated(item: Item, location: str) -> Item:
    """Validate an application's item as strictly as a dict with its fields."""
    plain_copy = copy_plain(item)
    if plain_copy is not None and (not plain_copy.id or plain_copy.id not in PLACEHOLDERS):
        return plain_copy
    item_fields = {field: getattr(item, field) for field in _FIELDS - {"text", "seq"}}
    check_types({key: value for key, value in item_fields.items() if value is not None}, location)
    content = openai_chat.message_content({"content": item.content}, location)
    tool_calls = neutral_calls({"tool_calls": item.tool_calls}, location)
    created_at = (
        None if item.created_at is None else parse_time(item.created_at, f"{location}.created_at")
    )
    item_id = "" if item.id in PLACEHOLDERS else item.id
    validated_item = dataclasses.replace(
        item, id=item_id, seq=0, content=content, tool_calls=tool_calls, created_at=created_at
    )
    return _without_stale_raw(validated_item, location)


def _as_anthropic(message: dict[str, Any], location: str) -> list[Item]:
    if isinstance(message.get("content"), (list, tuple)) and "role" in message:
        return parse_anthropic.parse_message(
            {**message, "content": list(message["content"])}, location
        )
    return [parse_chat(message, location)]


def _as_responses(message: dict[str, Any], location: str) -> list[Item]:
    if message.get("type", "message") != "message":
        return [parse_responses.parse_entry(message, location)]
    if "role" not in message:
        raise InputError(f"{location}.role is missing; keys given: {list_keys(message)}")
    return [parse_responses.parse_message(message, location)]


_FORMAT_PARSERS: Final[Mapping[str, Callable[[dict[str, Any], str], list[Item]]]] = {
    "anthropic": _as_anthropic,
    "openai-chat": lambda message, location: [parse_chat(message, location)],
    "openai-responses": _as_responses,
}
FORMATS: Final = tuple(_FORMAT_PARSERS)
"""The names of the formats that `parse_dict` takes."""
