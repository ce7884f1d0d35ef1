"""Convert items to and from OpenAI Chat, OpenAI Responses and Anthropic formats."""

from __future__ import annotations

from threadkeep.messages.anthropic import AnthropicMessages, to_anthropic
from threadkeep.messages.openai_chat_prompt import to_openai
from threadkeep.messages.openai_responses import to_responses
from threadkeep.messages.parse import parse
from threadkeep.messages.tool_pairs import Contribution, contributions

__all__ = [
    "AnthropicMessages",
    "Contribution",
    "contributions",
    "parse",
    "to_anthropic",
    "to_openai",
    "to_responses",
]
