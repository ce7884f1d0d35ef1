"""Whether a payload that was kept can be sent as it is, or has to go by its neutral fields."""

from __future__ import annotations

from threadkeep.providers.shapes.anthropic import anthropic, anthropic_block
from threadkeep.providers.shapes.chat import chat
from threadkeep.providers.shapes.checks import link
from threadkeep.providers.shapes.responses import responses

__all__ = ["anthropic", "anthropic_block", "chat", "link", "responses"]
