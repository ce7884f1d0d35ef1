"""State that a model needs back to go on, where the SDK's chat models look for it.

They send it to models whose names say that they take it, and its Responses models leave it out:
the class and the name of the model are the profile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from threadkeep import Item
from threadkeep.messages import continuation_of

Entry = dict[str, Any]

_FAKE_ID: Final = "__fake_id__"
_THOUGHTS: Final = "reasoning_content"
_DEEPSEEK: Final = "deepseek"


def with_continuation(entries: Iterable[Entry], items: Sequence[Item]) -> list[Entry]:
    """The entries of other frameworks' items, their calls with signatures, behind their thoughts.

    Args:
        entries: as the Responses API takes them.
        items: that the entries were made of.
    """
    thoughts: dict[str, Entry] = {}
    signatures: dict[str, str] = {}
    for item in items:
        found = continuation_of(item) if item.tool_calls else None
        if found is None:
            continue
        if text := found.message.get(_THOUGHTS):
            thoughts[str(item.tool_calls[0].get("id"))] = _reasoning(str(text), item)
        for call, fields in zip(item.tool_calls, found.calls, strict=False):
            if signature := _signature(fields):
                signatures[str(call.get("id"))] = signature
    return [part for entry in entries for part in _parts(entry, thoughts, signatures)]


def _parts(
    entry: Entry, thoughts: Mapping[str, Entry], signatures: Mapping[str, str]
) -> list[Entry]:
    if entry.get("type") != "function_call":
        return [entry]
    id = str(entry.get("call_id"))
    if id in signatures:
        entry = {**entry, "provider_data": {"thought_signature": signatures[id]}}
    return [thoughts[id], entry] if id in thoughts else [entry]


def _reasoning(text: str, item: Item) -> Entry:
    """The thoughts as a reasoning item of the SDK's, which names the model that had them."""
    return {
        "id": _FAKE_ID,
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text}],
        "provider_data": {"model": item.model or _DEEPSEEK},
    }


def _signature(fields: Mapping[str, Any]) -> str | None:
    google = (fields.get("extra_content") or {}).get("google") or {}
    signature = google.get("thought_signature") if isinstance(google, Mapping) else None
    return signature if isinstance(signature, str) else None
