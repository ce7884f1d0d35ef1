"""A limit on how long the calls of one thread may take, below the store's own time-out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_SECONDS: Final[ContextVar[float | None]] = ContextVar("threadkeep_call_limit", default=None)


@contextmanager
def limit_calls(seconds: float) -> Iterator[None]:
    """Limit each call to a store inside the block."""
    token = _SECONDS.set(seconds)
    try:
        yield
    finally:
        _SECONDS.reset(token)


def limited(timeout: float) -> float:
    """The time-out of a call that begins now, in seconds."""
    seconds = _SECONDS.get()
    return timeout if seconds is None else min(timeout, seconds)
