"""Schemas that decide whether a stored raw payload can be sent unchanged."""

from __future__ import annotations

from threadkeep.messages.schemas.anthropic import is_anthropic_block, is_anthropic_message
from threadkeep.messages.schemas.openai_chat import has_only_openai_parts, is_chat_message
from threadkeep.messages.schemas.openai_responses import ITEM_TYPES as RESPONSES_ITEM_TYPES
from threadkeep.messages.schemas.openai_responses import is_responses_item
from threadkeep.messages.schemas.predicates import is_url

__all__ = [
    "RESPONSES_ITEM_TYPES",
    "has_only_openai_parts",
    "is_anthropic_message",
    "is_anthropic_block",
    "is_chat_message",
    "is_url",
    "is_responses_item",
]
