"""State that a model needs back to go on, where LangChain's classes for its server look for it.

They send what is theirs: the class of the model is the profile.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from threadkeep import Item
from threadkeep.messages import continuation_of

_FIELDS: Final = frozenset({"reasoning_content", "reasoning_details"})
_SIGNATURES: Final = "__gemini_function_call_thought_signatures__"


def to_kwargs(item: Item) -> dict[str, Any]:
    """Return the `additional_kwargs` for an answer that Chat Completions wrote."""
    continuation = continuation_of(item)
    if continuation is None:
        return {}
    extra_kwargs = {key: value for key, value in continuation.message.items() if key in _FIELDS}
    signature_by_id = {
        tool_call["id"]: signature
        for tool_call, call_state in zip(item.tool_calls, continuation.calls, strict=False)
        if (signature := _signature(call_state))
    }
    return {**extra_kwargs, _SIGNATURES: signature_by_id} if signature_by_id else extra_kwargs


def without_thoughts(item: Item) -> Item:
    """Return the item without the block of what `reasoning_content` says already."""
    if isinstance(item.content, str):
        return item
    other_blocks = [block for block in item.content if "field" not in (block.get("extras") or {})]
    is_only_text = len(other_blocks) == 1 and other_blocks[0].keys() == {"type", "text"}
    return dataclasses.replace(
        item, content=other_blocks[0]["text"] if is_only_text else other_blocks or ""
    )


def _signature(fields: Any) -> str | None:
    google_fields = (fields.get("extra_content") or {}).get("google") or {}
    signature = google_fields.get("thought_signature")
    return signature if isinstance(signature, str) else None
