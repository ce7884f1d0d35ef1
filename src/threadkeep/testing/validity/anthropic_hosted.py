"""Anthropic Messages: hosted tools' uses and results. The rule is named in `anthropic`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from threadkeep.testing.validity.checks import fail, shorten

_Located = tuple[str, dict[str, Any]]


def check_hosted(merged: list[tuple[str, list[_Located]]]) -> None:
    """Raise an AssertionError at a use without its result, or a result without its use."""
    open_uses: dict[str, str] = {}
    answered: set[str] = set()
    for role, blocks in merged:
        if role == "user":
            if any(block["type"] != "tool_result" for _, block in blocks):
                _check_closed(open_uses)
        else:
            _read(blocks, open_uses, answered)


def _read(blocks: Iterable[_Located], open_uses: dict[str, str], answered: set[str]) -> None:
    for location, block in blocks:
        if block["type"].endswith("_tool_use"):
            open_uses[_id(location, block, "id")] = location
        elif block["type"].endswith("_tool_result"):
            use = _id(location, block, "tool_use_id")
            if use not in open_uses and use not in answered:
                fail("hosted", location, f"no use {shorten(use)} of a hosted tool before it")
            open_uses.pop(use, None)
            answered.add(use)


def _id(location: str, block: dict[str, Any], key: str) -> str:
    value = block.get(key)
    if not isinstance(value, str):
        fail("fields", location, f"{key!r} must be a string, is {type(value).__name__}")
    return value


def _check_closed(open_uses: dict[str, str]) -> None:
    for use, location in open_uses.items():
        fail("hosted", location, f"no result for {shorten(use)} before the user speaks")
