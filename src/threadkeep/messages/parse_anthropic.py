"""Parse messages of Anthropic; one with tool results becomes several items."""

from __future__ import annotations

from typing import Any

from threadkeep.messages import anthropic
from threadkeep.messages.anthropic_blocks import FORMAT
from threadkeep.messages.build_item import build_item
from threadkeep.messages.field_checks import check_calls
from threadkeep.types import Item


def parse_message(message: dict[str, Any], location: str) -> list[Item]:
    attributes = {key: value for key, value in message.items() if key != "type"}
    parts = anthropic.split_message(
        {"role": message["role"], "content": message["content"]}, location
    )
    if len(parts) > 1:
        attributes.pop("id", None)  # it would be the id of several items
    for fields, _ in parts:
        check_calls(fields["tool_calls"], location)
    return [
        build_item(attributes, fields, location, FORMAT, payload, anthropic.to_message)
        for fields, payload in parts
    ]
