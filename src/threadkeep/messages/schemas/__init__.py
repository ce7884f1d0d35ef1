"""Whether a payload that was kept can be sent as it is, or has to go by its neutral fields."""

from __future__ import annotations

from threadkeep.messages.schemas.anthropic import anthropic, anthropic_block
from threadkeep.messages.schemas.openai_chat import chat
from threadkeep.messages.schemas.openai_responses import responses
from threadkeep.messages.schemas.predicates import link

__all__ = ["anthropic", "anthropic_block", "chat", "link", "responses"]
