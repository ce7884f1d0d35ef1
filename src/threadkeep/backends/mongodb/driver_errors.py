"""What went wrong in pymongo, in a few kinds: that decides whether to try again."""

from __future__ import annotations

import enum
import re
from typing import Final, NamedTuple

from pymongo import errors

from threadkeep.errors import BackendError, BackendTimeout


class Kind(enum.Enum):
    """What an error means for the call that met it."""

    AGAIN = "nothing was written, and the same call may succeed soon"
    LOST = "the connection broke; whether a commit in flight was written is unknown"
    UNREACHABLE = "no server could be chosen"
    TIMEOUT = "the deadline came"
    FULL = "all connections were in use"
    FATAL = "trying again will not help"


class Fault(NamedTuple):
    """An error of the driver's, understood."""

    kind: Kind
    says: str
    remedy: str = ""


_CODES: Final = {
    13: Fault(Kind.FATAL, "this user may not do that", "grant readWrite on the database"),
    18: Fault(
        Kind.FATAL, "it does not accept this username and password", "check both, and authSource"
    ),
    8000: Fault(
        Kind.FATAL, "it does not accept this username and password", "check both, and authSource"
    ),
    112: Fault(Kind.AGAIN, "others write the same just now (WriteConflict)"),
    14031: Fault(Kind.FATAL, "its disk is full", "free space on the server"),
    20: Fault(Kind.FATAL, "this server cannot do that", "MongoDB 4.4 or newer is needed"),
}


def understand(error: Exception, within: str) -> Fault:
    """The kind of an error; what the server says of documents is not cited.

    Args:
        within: how long a server was waited for.
    """
    if isinstance(error, errors.WaitQueueTimeoutError):
        return Fault(Kind.FULL, "all connections were in use", "raise `pool_size` or `timeout`")
    if isinstance(error, errors.ServerSelectionTimeoutError):
        says = f"no server answered within {within} ({_short(error)})"
        return Fault(Kind.UNREACHABLE, says, "check hosts, ports, TLS, and that it is running")
    if isinstance(error, errors.OperationFailure) and error.code in _CODES:
        return _CODES[error.code]
    if isinstance(error, errors.PyMongoError) and error.timeout:
        return Fault(Kind.TIMEOUT, "no answer", "look for load or a broken network")
    if isinstance(error, errors.ConnectionFailure):
        return Fault(Kind.LOST, _short(error))
    if isinstance(error, errors.OperationFailure):
        again = error.has_error_label("RetryableWriteError")
        says = f"{type(error).__name__}, code {error.code}"
        return Fault(Kind.LOST if again else Kind.FATAL, says)
    return Fault(Kind.FATAL, type(error).__name__)


def _short(error: Exception) -> str:
    """Without what pymongo appends: its own time-outs, and the topology."""
    said = str(error).partition(", Timeout:")[0].replace("\n", " ")
    return re.sub(r" \(configured timeouts:[^)]*\)", "", said)[:300].rstrip(". ")


def error(fault: Fault, where: str, timeout: float) -> BackendError:
    """Our error for it."""
    remedy = f": {fault.remedy}" if fault.remedy else ""
    if fault.kind in (Kind.TIMEOUT, Kind.FULL, Kind.LOST, Kind.AGAIN):
        return BackendTimeout(f"{where}: not done within {timeout:g} s ({fault.says}){remedy}")
    return BackendError(f"{where}: {fault.says}{remedy}")


def unknown(where: str) -> BackendError:
    """The error for a conditional commit whose answer was lost."""
    return BackendError(
        f"{where}: the connection broke during a commit, which may have been written or not: "
        "read again before repeating it, or pass a token"
    )
