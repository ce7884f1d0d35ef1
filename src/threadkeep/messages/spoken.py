"""What a model has said itself, and what is the affair of the provider that wrote it."""

from __future__ import annotations

from threadkeep.messages.content import SPOKEN
from threadkeep.messages.tool_groups import speaker
from threadkeep.types import Item


def is_unspoken(item: Item) -> bool:
    """Return True for a model's item without a word or a call, such as a hosted tool's.

    Only the provider that wrote it can read it. Others do not see it: as a text, a name in
    brackets would be the model's own word, and models repeat what they seem to have said.
    """
    if item.tool_calls or speaker(item) != "assistant" or item.role in {"tool", "function"}:
        return False
    if isinstance(item.content, str):
        return item.type != "message" and item.content.startswith(f"[{item.type}")
    return bool(item.content) and all(block["type"] not in SPOKEN for block in item.content)
