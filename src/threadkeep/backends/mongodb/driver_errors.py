"""Classifies errors of pymongo; what the server says of documents is not cited."""

from __future__ import annotations

import re
from typing import Final

from pymongo import errors

from threadkeep.backends.common.faults import Fault, FaultKind

_WRONG_LOGIN: Final = Fault(
    FaultKind.FATAL, "it does not accept this username and password", "check both, and authSource"
)
_CODES: Final = {
    13: Fault(FaultKind.FATAL, "this user may not do that", "grant readWrite on the database"),
    18: _WRONG_LOGIN,
    8000: _WRONG_LOGIN,
    112: Fault(FaultKind.RETRY, "others write the same just now (WriteConflict)"),
    14031: Fault(FaultKind.FATAL, "its disk is full", "free space on the server"),
    20: Fault(FaultKind.FATAL, "this server cannot do that", "MongoDB 4.4 or newer is needed"),
}


def classify(error: Exception, waited: str) -> Fault:
    """Classify an error.

    Args:
        waited: how long a server was waited for, in words.
    """
    if isinstance(error, errors.WaitQueueTimeoutError):
        return Fault(
            FaultKind.BUSY, "all connections were in use", "raise `pool_size` or `timeout`"
        )
    if isinstance(error, errors.ServerSelectionTimeoutError):
        error_text = f"no server answered within {waited} ({_short(error)})"
        return Fault(
            FaultKind.UNREACHABLE, error_text, "check hosts, ports, TLS, and that it is running"
        )
    if isinstance(error, errors.OperationFailure) and error.code in _CODES:
        return _CODES[error.code]
    if isinstance(error, errors.PyMongoError) and error.timeout:
        return Fault(FaultKind.TIMEOUT, "no answer", "look for load or a broken network")
    if isinstance(error, errors.ConnectionFailure):
        return Fault(FaultKind.LOST, _short(error))
    if isinstance(error, errors.OperationFailure):
        is_retryable = error.has_error_label("RetryableWriteError")
        error_text = f"{type(error).__name__}, code {error.code}"
        return Fault(FaultKind.LOST if is_retryable else FaultKind.FATAL, error_text)
    return Fault(FaultKind.FATAL, type(error).__name__)


def _short(error: Exception) -> str:
    """Without what pymongo appends: its own time-outs, and the topology."""
    error_text = str(error).partition(", Timeout:")[0].replace("\n", " ")
    return re.sub(r" \(configured timeouts:[^)]*\)", "", error_text)[:300].rstrip(". ")
