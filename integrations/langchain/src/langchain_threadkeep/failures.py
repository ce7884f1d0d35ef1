"""Writes that failed where nobody listens: LangChain logs what a history raises, and goes on."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final
from weakref import WeakKeyDictionary

from threadkeep import Memory
from threadkeep.errors import BackendError

_REMEMBERED: Final = 1_000

_failed: WeakKeyDictionary[Memory, OrderedDict[str, Exception]] = WeakKeyDictionary()
_lock = threading.Lock()


def remember(memory: Memory, session: str, error: Exception) -> None:
    """Keep the error of a write for the next read of the session in this process."""
    with _lock:
        errors = _failed.setdefault(memory, OrderedDict())
        errors[session] = error
        while len(errors) > _REMEMBERED:
            errors.popitem(last=False)


def report(memory: Memory, session: str) -> None:
    """Raise, once, if a write of the session failed since it was read.

    Raises:
        BackendError: from the error of the write.
    """
    with _lock:
        errors = _failed.get(memory)
        error = errors.pop(session, None) if errors else None
    if error is not None:
        raise BackendError(
            f"messages of session {session!r} were not stored ({type(error).__name__}); what the "
            "history holds is not all that was said"
        ) from error
