"""The deadline of a thread's current call, for connections that redis-py opens on its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from threadkeep.backends.common.deadline import Deadline

_LOCAL: Final = threading.local()


@contextmanager
def use_deadline(deadline: Deadline) -> Iterator[None]:
    """Apply a deadline to all connections that this thread uses inside the block."""
    _LOCAL.deadline = deadline
    try:
        yield
    finally:
        _LOCAL.deadline = None


def current_deadline() -> Deadline | None:
    """The deadline of this thread's current call, or `None` outside any."""
    deadline: Deadline | None = getattr(_LOCAL, "deadline", None)
    return deadline
