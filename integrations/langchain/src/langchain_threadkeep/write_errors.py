"""Remember failed writes, because LangChain only logs the errors that a history raises."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final
from weakref import WeakKeyDictionary

from threadkeep import Memory, Session
from threadkeep.errors import BackendError
from threadkeep.printable import shown

_MAX_ERRORS: Final = 1_000
_Key = tuple[str, str | None]  # per user: errors are not shown to other users

_write_errors: WeakKeyDictionary[Memory, OrderedDict[_Key, Exception]] = WeakKeyDictionary()
_lock = threading.Lock()


def remember(memory: Memory, chat: Session, error: Exception) -> None:
    """Save a write error for the user's next read of the session in this process."""
    with _lock:
        session_errors = _write_errors.setdefault(memory, OrderedDict())
        session_errors[chat.id, chat.user] = error
        while len(session_errors) > _MAX_ERRORS:
            session_errors.popitem(last=False)


def report(memory: Memory, chat: Session) -> None:
    """Raise once if a write of the user failed since the last read of the session.

    Raises:
        BackendError: caused by the error of the write.
    """
    with _lock:
        session_errors = _write_errors.get(memory)
        error = session_errors.pop((chat.id, chat.user), None) if session_errors else None
    if error is not None:
        raise BackendError(
            f"messages of session {shown(chat.id)} were not stored ({type(error).__name__}); what "
            "the history holds is not all that was said"
        ) from error
