"""The deadline of the call that a thread is in, for connections that its client makes by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from threadkeep.backends.common.deadline import Deadline

_LOCAL: Final = threading.local()


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """While inside, connections used by this thread wait no longer than that."""
    _LOCAL.deadline = deadline
    try:
        yield
    finally:
        _LOCAL.deadline = None


def current() -> Deadline | None:
    """The deadline of the call that this thread is in."""
    found: Deadline | None = getattr(_LOCAL, "deadline", None)
    return found
