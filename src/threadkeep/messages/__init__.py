"""Convert items to and from OpenAI Chat, OpenAI Responses, Anthropic and Gemini formats."""

from __future__ import annotations

from threadkeep.messages.anthropic import AnthropicMessages, to_anthropic
from threadkeep.messages.arguments import parse_arguments
from threadkeep.messages.content import as_blocks
from threadkeep.messages.continuation import FIELDS as CONTINUATION_FIELDS
from threadkeep.messages.continuation import (
    Continuation,
    Profile,
    check_profile,
    continuation_of,
)
from threadkeep.messages.dspy import to_dspy
from threadkeep.messages.gemini import GeminiContents, to_gemini
from threadkeep.messages.openai_chat_prompt import to_openai
from threadkeep.messages.openai_responses import to_responses
from threadkeep.messages.parse import parse
from threadkeep.messages.read import Format, read, read_all, with_fields
from threadkeep.messages.responses_entries import without_orphan_reasoning
from threadkeep.messages.tool_pairs import (
    Contribution,
    contributions,
    sanitize,
    sanitize_messages,
)

__all__ = [
    "CONTINUATION_FIELDS",
    "AnthropicMessages",
    "Continuation",
    "Contribution",
    "Format",
    "GeminiContents",
    "Profile",
    "as_blocks",
    "check_profile",
    "continuation_of",
    "contributions",
    "parse",
    "parse_arguments",
    "read",
    "read_all",
    "sanitize",
    "sanitize_messages",
    "to_anthropic",
    "to_dspy",
    "to_gemini",
    "to_openai",
    "to_responses",
    "with_fields",
    "without_orphan_reasoning",
]
