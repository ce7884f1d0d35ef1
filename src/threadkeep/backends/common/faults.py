"""Maps errors of drivers to ours: a store classifies them, and the rest is the same for all.

What is classified is a `Fault`. Its kind decides whether the call may be repeated, and the class
of the error that is raised in the end. Messages cite what a server says, never stored text.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from threadkeep.errors import BackendError, BackendTimeout


class FaultKind(enum.Enum):
    """What an error means for the call that met it."""

    RETRY = "nothing was written, and the same call may succeed soon"
    FAILOVER = "the same, but only a failover helps, so it is worth a second"
    LOST = "the connection broke; whether a commit in flight was written is unknown"
    UNREACHABLE = "no connection could be made"
    SILENT = "no connection could be made, since nobody answered"
    TIMEOUT = "the call reached its deadline"
    BUSY = "no connection or lock became free in time"
    MISSING = "the tables are not there, or not threadkeep's"
    FATAL = "the same call would fail again"


class Fault(NamedTuple):
    """A driver's error, classified.

    Attributes:
        message: what failed, without the place where it did.
        remedy: what to do about it.
    """

    kind: FaultKind
    message: str
    remedy: str = ""


Classify = Callable[[Exception], Fault]


class Failed(Exception):
    """Carries a fault to whoever decides whether to repeat the call."""

    def __init__(self, fault: Fault, cause: Exception) -> None:
        super().__init__(fault.message)
        self.fault = fault
        self.cause = cause


@contextmanager
def map_exceptions(
    errors: type[Exception] | tuple[type[Exception], ...],
    classify: Classify,
    location: str,
    timeout: float = 0.0,
) -> Iterator[None]:
    """Raise `BackendError` or `BackendTimeout` instead of a driver's errors."""
    try:
        yield
    except BackendError:  # some are OSErrors, as are those of some drivers
        raise
    except errors as error:
        raise to_error(classify(error), location, timeout) from error


def to_error(fault: Fault, location: str, timeout: float) -> BackendError:
    """The error to raise for a fault.

    Args:
        location: the store, for people to read.
        timeout: seconds the whole call may take.
    """
    if fault.kind is FaultKind.TIMEOUT:
        return timeout_error(fault, location, timeout)
    remedy = f": {fault.remedy}" if fault.remedy else ""
    is_before_deadline = fault.kind not in (FaultKind.BUSY, FaultKind.SILENT)
    error_class = BackendError if is_before_deadline else BackendTimeout
    return error_class(f"{location}: {fault.message}{remedy}")


def timeout_error(fault: Fault, location: str, timeout: float) -> BackendTimeout:
    """The error for a call that reached its deadline, and met this fault last."""
    remedy = fault.remedy or "look for locks, load or a broken network"
    return BackendTimeout(
        f"{location}: not done within {timeout:g} s ({fault.message}): {remedy}, or raise `timeout`"
    )


def outage_error(fault: Fault, location: str) -> BackendError:
    """The error for a call that is not even tried, since the store was found to be down."""
    remedy = f": {fault.remedy}" if fault.remedy else ""
    return BackendError(f"{location}: {fault.message}, and it is asked again once a second{remedy}")


def unknown_outcome(location: str) -> BackendError:
    """The error for a conditional commit whose reply was lost."""
    return BackendError(
        f"{location}: the connection broke during a commit, which may have been written or not: "
        "read again before repeating it, or pass a token"
    )
