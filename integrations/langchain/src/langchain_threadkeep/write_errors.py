"""Writes that failed where nobody listens: LangChain logs what a history raises, and goes on."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final
from weakref import WeakKeyDictionary

from threadkeep import Memory, Session
from threadkeep.errors import BackendError

_REMEMBERED: Final = 1_000
_Key = tuple[str, str | None]  # nobody is told of what another user tried

_failed: WeakKeyDictionary[Memory, OrderedDict[_Key, Exception]] = WeakKeyDictionary()
_lock = threading.Lock()


def remember(memory: Memory, chat: Session, error: Exception) -> None:
    """Keep the error of a write for its user's next read of the session in this process."""
    with _lock:
        errors = _failed.setdefault(memory, OrderedDict())
        errors[chat.id, chat.user] = error
        while len(errors) > _REMEMBERED:
            errors.popitem(last=False)


def report(memory: Memory, chat: Session) -> None:
    """Raise, once, if a write of the user's failed since the session was read.

    Raises:
        BackendError: from the error of the write.
    """
    with _lock:
        errors = _failed.get(memory)
        error = errors.pop((chat.id, chat.user), None) if errors else None
    if error is not None:
        raise BackendError(
            f"messages of session {chat.id!r} were not stored ({type(error).__name__}); what the "
            "history holds is not all that was said"
        ) from error
