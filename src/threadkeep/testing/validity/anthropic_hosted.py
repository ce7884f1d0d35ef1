"""Anthropic Messages: hosted tools' uses and results. The rule is named in `anthropic`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from threadkeep.testing.validity.checks import fail, shorten

_Located = tuple[str, dict[str, Any]]


def check_hosted(merged: list[tuple[str, list[_Located]]]) -> None:
    """Raise an AssertionError at a use without its result, or a result without its use."""
    location_by_id: dict[str, str] = {}
    answered_ids: set[str] = set()
    for role, blocks in merged:
        if role == "user":
            if any(block["type"] != "tool_result" for _, block in blocks):
                _check_closed(location_by_id)
        else:
            _read(blocks, location_by_id, answered_ids)


def _read(
    located_blocks: Iterable[_Located], location_by_id: dict[str, str], answered_ids: set[str]
) -> None:
    for location, block in located_blocks:
        if block["type"].endswith("_tool_use"):
            location_by_id[_id(location, block, "id")] = location
        elif block["type"].endswith("_tool_result"):
            use_id = _id(location, block, "tool_use_id")
            if use_id not in location_by_id and use_id not in answered_ids:
                fail("hosted", location, f"no use {shorten(use_id)} of a hosted tool before it")
            location_by_id.pop(use_id, None)
            answered_ids.add(use_id)


def _id(location: str, block: dict[str, Any], key: str) -> str:
    block_id = block.get(key)
    if not isinstance(block_id, str):
        fail("fields", location, f"{key!r} must be a string, is {type(block_id).__name__}")
    return block_id


def _check_closed(location_by_id: dict[str, str]) -> None:
    for use_id, location in location_by_id.items():
        fail("hosted", location, f"no result for {shorten(use_id)} before the user speaks")
