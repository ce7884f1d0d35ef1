"""What a caller says about the calls of its thread: how long they may take, and what they are for.

Context variables, so that async callers and the threads that work for them agree.
"""

from __future__ import annotations

import enum
import functools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Purpose(enum.Enum):
    """What a call is for, which decides how long it waits for a store that is down."""

    WRITE = "waits until its time-out: a failover is ridden out"
    READ = "is refused within two seconds"
    PROBE = "always asks the store"


_SECONDS: Final[ContextVar[float | None]] = ContextVar("threadkeep_call_limit", default=None)
_ENDS_AT: Final[ContextVar[float | None]] = ContextVar("threadkeep_calls_end", default=None)
_WAITED: Final[ContextVar[float]] = ContextVar("threadkeep_waited", default=0.0)
_PURPOSE: Final[ContextVar[Purpose]] = ContextVar("threadkeep_purpose", default=Purpose.WRITE)


def limit_calls(seconds: float) -> AbstractContextManager[None]:
    """Limit each call to a store inside the block."""
    return _setting(_SECONDS, seconds)


def limit_total(seconds: float) -> AbstractContextManager[None]:
    """Limit all calls to stores inside the block together; an inner limit cannot be longer."""
    deadline, outer_deadline = time.monotonic() + seconds, _ENDS_AT.get()
    return _setting(_ENDS_AT, deadline if outer_deadline is None else min(deadline, outer_deadline))


def limited(timeout: float) -> float:
    """The time-out of a call that begins now, in seconds."""
    call_limit, deadline = _SECONDS.get(), _ENDS_AT.get()
    if call_limit is not None:
        timeout = min(timeout, call_limit)
    return timeout if deadline is None else max(0.001, min(timeout, deadline - time.monotonic()))


def run_asked_at(moment: float, verb: Callable[[], R]) -> R:
    """Run a verb that was asked for at a moment of the monotonic clock, and waited since."""
    reset_token = _WAITED.set(time.monotonic() - moment)
    try:
        return verb()
    finally:
        _WAITED.reset(reset_token)


def waited() -> float:
    """Seconds that the running verb had to wait for a thread."""
    return _WAITED.get()


def serving(purpose: Purpose) -> AbstractContextManager[None]:
    """Say what the calls inside the block are for; a write's own reads stay part of it."""
    return _setting(_PURPOSE, purpose)


@contextmanager
def _setting(variable: ContextVar[T], value: T) -> Iterator[None]:
    """Set a variable inside the block."""
    reset_token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(reset_token)


def purpose() -> Purpose:
    """What the current call is for."""
    return _PURPOSE.get()


def reads(verb: Callable[P, R]) -> Callable[P, R]:
    """Mark a verb that only reads; `only_reads` says of any verb whether it was."""

    @functools.wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        reset_token = _PURPOSE.set(Purpose.READ)
        try:
            return verb(*args, **kwargs)
        finally:
            _PURPOSE.reset(reset_token)

    run._only_reads = True  # type: ignore[attr-defined]
    return run


def only_reads(verb: Callable[..., Any]) -> bool:
    """Whether a verb was marked by `reads`, also below further decorators."""
    return getattr(verb, "_only_reads", False)
