"""Replace the texts of an item also in the payload that its writer sent."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from threadkeep.types import Item, Json

_TEXT_KEYS: Final = frozenset({"content", "text", "output"})


def with_texts(
    item: Item, content: str | list[dict[str, Json]], replaced: Mapping[str, str] | None
) -> Item:
    """A copy of the item with other content, sharing nothing mutable with it.

    The payload in `raw` stays, so that an adapter finds its own ids in it, if each of the
    `replaced` texts is found there; else, and with `None`, the copy has none.
    """
    old_raw = None if replaced is None else item.raw
    new_raw = None if old_raw is None else _replaced_payload(old_raw, replaced or {})
    return dataclasses.replace(
        item,
        content=content,
        tool_calls=[dict(tool_call) for tool_call in item.tool_calls],
        metadata=dict(item.metadata),
        raw=new_raw,
    )


def _replaced_payload(raw: dict[str, Json], replaced: Mapping[str, str]) -> dict[str, Json] | None:
    missing_texts = set(replaced)
    new_raw = _replace(raw, replaced, missing_texts, is_text=False)
    return None if missing_texts else new_raw


def _replace(value: Any, replaced: Mapping[str, str], missing: set[str], *, is_text: bool) -> Any:
    if isinstance(value, str):
        if not is_text or value not in replaced:
            return value
        missing.discard(value)
        return replaced[value]
    if isinstance(value, dict):
        return {
            key: _replace(child, replaced, missing, is_text=key in _TEXT_KEYS)
            for key, child in value.items()
        }
    if isinstance(value, list):
        return [_replace(child, replaced, missing, is_text=is_text) for child in value]
    return value
