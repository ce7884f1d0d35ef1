"""Parse items of the Responses API, messages among them."""

from __future__ import annotations

from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.messages import openai_chat, openai_responses
from threadkeep.messages.build_item import PLACEHOLDERS, build_item
from threadkeep.messages.checks import ROLE_ALIASES
from threadkeep.types import Item

_UNSENT_FIELDS: Final = frozenset({"created_at", "metadata", "model", "usage", "raw", "seq"})


def parse_entry(data: dict[str, Any], location: str) -> Item:
    if data["type"] == "item_reference" and data.get("id", "") in PLACEHOLDERS:
        raise InputError(f"{location}.id is missing: a reference names the item that it stands for")
    fields = {
        "type": data["type"],
        "name": data.get("name"),
        **openai_responses.neutral_fields(data, location),
    }
    payload = {key: value for key, value in data.items() if key not in _UNSENT_FIELDS}
    return build_item(data, fields, location, openai_responses.FORMAT, payload, _single_entry)


def parse_message(data: dict[str, Any], location: str) -> Item:
    fields = {
        "role": ROLE_ALIASES.get(data["role"], data["role"]),
        "content": openai_chat.message_content(data, location),
    }
    return build_item(
        data,
        fields,
        location,
        openai_responses.FORMAT,
        openai_responses.raw_message(data),
        _single_entry,
    )


def _single_entry(item: Item) -> dict[str, Any] | None:
    return next(iter(openai_responses.to_entries(item)), None)
