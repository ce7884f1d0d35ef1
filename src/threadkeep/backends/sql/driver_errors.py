"""What went wrong in a driver, in five kinds: that decides whether to try again."""

from __future__ import annotations

import enum
from typing import NamedTuple

from threadkeep.errors import BackendError, BackendTimeout


class Kind(enum.Enum):
    """What an error means for the call that met it."""

    AGAIN = "nothing was written, and the same call may succeed now"
    LOST = "the connection is gone; whether a commit in flight was written is unknown"
    UNREACHABLE = "no connection could be made"
    TIMEOUT = "the server gave up waiting"
    MISSING = "the tables are not there, or not ours"
    FATAL = "trying again will not help"


class Fault(NamedTuple):
    """A driver's error, understood."""

    kind: Kind
    says: str
    remedy: str = ""


def error(fault: Fault, where: str, timeout: float) -> BackendError:
    """Our error for it."""
    if fault.kind is Kind.TIMEOUT:
        return late(where, timeout, fault.says)
    remedy = f": {fault.remedy}" if fault.remedy else ""
    return BackendError(f"{where}: {fault.says}{remedy}")


def late(where: str, timeout: float, why: str = "no answer") -> BackendTimeout:
    """The error for a call that reached its deadline."""
    return BackendTimeout(
        f"{where}: not done within {timeout:g} s ({why}): look for locks, load or a broken "
        "network, or raise `timeout`"
    )


def unknown(where: str) -> BackendError:
    """The error for a conditional commit whose answer was lost."""
    return BackendError(
        f"{where}: the connection broke during a commit, which may have been written or not: "
        "read again before repeating it, or pass a token"
    )
