"""Items that a framework need not have written to read them as its own."""

from __future__ import annotations

from typing import Final

from threadkeep.types import Item

PLAIN_ROLES: Final = frozenset({"user", "assistant", "system", "developer"})
"""Roles that every framework has by the same name."""


def is_plain_text(item: Item) -> bool:
    """Return True if role and text say it all, so that it is the same in every framework."""
    return (
        item.raw is None
        and item.type == "message"
        and item.role in PLAIN_ROLES
        and isinstance(item.content, str)
        and not (item.tool_calls or item.name or item.tool_call_id)
    )
