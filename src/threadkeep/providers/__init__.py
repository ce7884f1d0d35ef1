"""Items to and from the shapes of OpenAI Chat, OpenAI Responses and Anthropic."""

from __future__ import annotations

from threadkeep.providers.anthropic import AnthropicMessages, to_anthropic
from threadkeep.providers.chat_prompt import to_openai
from threadkeep.providers.pairing import Contribution, contributions
from threadkeep.providers.parse import parse
from threadkeep.providers.responses import to_responses

__all__ = [
    "AnthropicMessages",
    "Contribution",
    "contributions",
    "parse",
    "to_anthropic",
    "to_openai",
    "to_responses",
]
