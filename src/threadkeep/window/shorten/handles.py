"""Handles: how a marker names the tool result whose middle it stands for.

A handle is the item's position and a check of it, which depends on the session and the item's id:
one that was made up, or comes from another session, resolves to nothing.
"""

from __future__ import annotations

from typing import Final

from threadkeep.types import Item

_CHECK_LENGTH: Final = 16  # hexadecimal digits


def handle_of(session: str, item: Item) -> str:
    """The handle of a stored item of a session (the name of its stream)."""
    return f"{item.seq:x}-{_check(session, item)}"


def position_of(handle: str) -> int | None:
    """The seq that a handle names; `None` = it is none."""
    seq_digits, separator, checksum = handle.strip().partition("-")
    is_valid = separator and len(checksum) == _CHECK_LENGTH and 0 < len(seq_digits) <= _CHECK_LENGTH
    try:
        return int(seq_digits, 16) if is_valid and seq_digits.isalnum() else None
    except ValueError:
        return None


def is_handle_of(handle: str, session: str, item: Item) -> bool:
    """Return True if the handle was made for this item in this session."""
    import hmac  # only where a model reads on, and slow to import

    return hmac.compare_digest(handle.strip().encode(), handle_of(session, item).encode())


def _check(session: str, item: Item) -> str:
    import hashlib

    identity_bytes = f"{session}\0{item.id}\0{item.seq}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(identity_bytes).hexdigest()[:_CHECK_LENGTH]
