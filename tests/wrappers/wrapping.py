"""How processes of a crowd open a wrapped store: they import this, and no server or test."""

from __future__ import annotations

from collections.abc import Callable

from threadkeep.backends.encrypted import EncryptedBackend
from threadkeep.backends.observed import ObservedBackend
from threadkeep.protocols import Backend


def encrypted(
    open_inner: Callable[[], Backend], key: str, hidden: frozenset[str] | None
) -> EncryptedBackend:
    return EncryptedBackend(open_inner(), key, hidden=hidden)


def observed(open_inner: Callable[[], Backend]) -> ObservedBackend:
    return ObservedBackend(open_inner())
