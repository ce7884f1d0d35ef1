"""State that a model needs back to go on, where the SDK's chat models look for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from threadkeep import Item
from threadkeep.messages import CONTINUATION_FIELDS as FIELDS
from threadkeep.messages import Profile, continuation_of

Entry = dict[str, Any]

_FAKE_ID: Final = "__fake_id__"
_THOUGHTS: Final = "reasoning_content"
_EXTRA: Final = "extra_content"
_DEEPSEEK: Final = "deepseek"


def with_continuation(
    entries: list[Entry], items: Sequence[Item], profile: Profile | None
) -> list[Entry]:
    """The entries of other frameworks' items, their calls with signatures, behind their thoughts.

    Args:
        entries: as the Responses API takes them.
        items: that the entries were made of.
        profile: the server that they are for; `None` = any, which gets nothing more.
    """
    profile_fields: frozenset[str] = frozenset() if profile is None else FIELDS[profile]
    if not profile_fields:
        return entries
    reasoning_by_id: dict[str, Entry] = {}
    signature_by_id: dict[str, str] = {}
    for item in items:
        continuation = continuation_of(item) if item.tool_calls else None
        if continuation is None:
            continue
        if _THOUGHTS in profile_fields and (text := continuation.message.get(_THOUGHTS)):
            reasoning_by_id[str(item.tool_calls[0].get("id"))] = _reasoning(str(text), item)
        for tool_call, call_state in zip(item.tool_calls, continuation.calls, strict=False):
            if _EXTRA in profile_fields and (signature := _signature(call_state)):
                signature_by_id[str(tool_call.get("id"))] = signature
    return [part for entry in entries for part in _parts(entry, reasoning_by_id, signature_by_id)]


def _parts(
    entry: Entry, reasoning_by_id: Mapping[str, Entry], signature_by_id: Mapping[str, str]
) -> list[Entry]:
    if entry.get("type") != "function_call":
        return [entry]
    call_id = str(entry.get("call_id"))
    if call_id in signature_by_id:
        entry = {**entry, "provider_data": {"thought_signature": signature_by_id[call_id]}}
    return [reasoning_by_id[call_id], entry] if call_id in reasoning_by_id else [entry]


def _reasoning(text: str, item: Item) -> Entry:
    """The thoughts as a reasoning item of the SDK's, which names the model that had them."""
    return {
        "id": _FAKE_ID,
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text}],
        "provider_data": {"model": item.model or _DEEPSEEK},
    }


def _signature(state: Mapping[str, Any]) -> str | None:
    google_part = (state.get(_EXTRA) or {}).get("google") or {}
    signature = google_part.get("thought_signature") if isinstance(google_part, Mapping) else None
    return signature if isinstance(signature, str) else None
