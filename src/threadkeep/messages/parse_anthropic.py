"""Parse messages of Anthropic; one with tool results becomes several items."""

from __future__ import annotations

from typing import Any

from threadkeep.messages import anthropic
from threadkeep.messages.anthropic_blocks import FORMAT
from threadkeep.messages.build_item import build_item
from threadkeep.messages.field_checks import check_calls
from threadkeep.types import Item


def parse_message(message: dict[str, Any], location: str) -> list[Item]:
    message_fields = {key: value for key, value in message.items() if key != "type"}
    split_messages = anthropic.split_message(
        {"role": message["role"], "content": message["content"]}, location
    )
    if len(split_messages) > 1:
        message_fields.pop("id", None)  # it would be the id of several items
    for neutral_fields, _ in split_messages:
        check_calls(neutral_fields["tool_calls"], location)
    return [
        build_item(
            message_fields, neutral_fields, location, FORMAT, raw_payload, anthropic.to_message
        )
        for neutral_fields, raw_payload in split_messages
    ]
