"""Classifies errors of redis-py; what the server says is cited, stored text never is."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from typing import Final

import redis
from redis import exceptions

from threadkeep.backends.common.faults import Fault, FaultKind
from threadkeep.backends.redis.connections import Unreachable

ERRORS: Final = (redis.RedisError, exceptions.RedisClusterException, OSError)
"""What redis-py raises."""


_CODES: Final = {
    "LOADING": Fault(FaultKind.RETRY, "it is loading its data (LOADING)", "wait until it is ready"),
    "BUSY": Fault(FaultKind.RETRY, "a long script is running (BUSY)", "find it in SLOWLOG"),
    "TRYAGAIN": Fault(FaultKind.RETRY, "a slot is moving (TRYAGAIN)"),
    "MASTERDOWN": Fault(
        FaultKind.RETRY, "its primary is down (MASTERDOWN)", "look at the replication"
    ),
    "CLUSTERDOWN": Fault(
        FaultKind.RETRY,
        "the cluster is down (CLUSTERDOWN)",
        "look at CLUSTER INFO and failed nodes",
    ),
    "NOREPLICAS": Fault(
        FaultKind.FAILOVER,
        "too few replicas for a write (NOREPLICAS)",
        "look at min-replicas-to-write",
    ),
    "READONLY": Fault(
        FaultKind.FAILOVER,
        "this server is a read-only replica (READONLY)",
        "connect to the primary, by redis+cluster://, or by a client of Sentinel",
    ),
    "OOM": Fault(
        FaultKind.FATAL,
        "its memory is full (OOM)",
        "raise maxmemory, or store less: a shorter ttl or retention_days, and sweep",
    ),
    "MISCONF": Fault(
        FaultKind.FATAL, "it cannot save to disk and takes no writes (MISCONF)", "look at its log"
    ),
    "NOAUTH": Fault(
        FaultKind.FATAL, "it wants a password (NOAUTH)", "pass a username and password"
    ),
    "WRONGPASS": Fault(
        FaultKind.FATAL, "it does not accept this username and password", "check both, and the ACL"
    ),
    "NOPERM": Fault(
        FaultKind.FATAL,
        "this user may not do that (NOPERM)",
        "allow +@read +@write +@scripting +@connection and the keys of the prefix in the ACL",
    ),
    "CROSSSLOT": Fault(
        FaultKind.FATAL, "this is a cluster (CROSSSLOT)", "connect by redis+cluster://"
    ),
    "MOVED": Fault(FaultKind.FATAL, "this is a cluster (MOVED)", "connect by redis+cluster://"),
    "WRONGTYPE": Fault(
        FaultKind.FATAL, "keys of this prefix are not ours (WRONGTYPE)", "choose another prefix"
    ),
}
_CODE: Final = re.compile(rf"(?:^|[\s-])({'|'.join(_CODES)})\b")
_CLASSES: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (exceptions.BusyLoadingError, "LOADING"),
    (exceptions.ReadOnlyError, "READONLY"),
    (exceptions.OutOfMemoryError, "OOM"),
    (exceptions.TryAgainError, "TRYAGAIN"),
    (exceptions.ClusterDownError, "CLUSTERDOWN"),
    (exceptions.SlotNotCoveredError, "CLUSTERDOWN"),
    (exceptions.MovedError, "MOVED"),
    (exceptions.NoPermissionError, "NOPERM"),
    (exceptions.ClusterError, "TRYAGAIN"),  # redirected too often; done nowhere
)
_TLS: Final = Fault(
    FaultKind.FATAL,
    "no TLS connection",
    "check that it speaks TLS, and that ssl_ca_certs names the CA of its certificate",
)


def classify(error: BaseException, handled: BaseException | None = None) -> Fault:
    """Classify an error.

    Args:
        handled: what the application was handling when it made the call, which is no cause.
    """
    for error_class, known_code in _CLASSES:
        if isinstance(error, error_class):
            return _CODES[known_code]
    if isinstance(error, redis.AuthenticationError):
        return _CODES["NOAUTH" if "required" in str(error) else "WRONGPASS"]
    if isinstance(error, redis.ResponseError):
        code_match = _CODE.search(str(error))
        return _CODES[code_match[1]] if code_match else Fault(FaultKind.FATAL, _short(error))
    return _connection(error, handled)


def _connection(error: BaseException, handled: BaseException | None) -> Fault:
    if isinstance(error, exceptions.MaxConnectionsError) or "No connection available" in str(error):
        return Fault(
            FaultKind.BUSY, "no connection of the client came free", "raise its max_connections"
        )
    for cause in _causes(error, handled):
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return _TLS._replace(message=f"no TLS connection ({_short(cause)})")
    if isinstance(error, Unreachable):
        is_silent = isinstance(error.__cause__, redis.TimeoutError)
        fault_kind = FaultKind.SILENT if is_silent else FaultKind.UNREACHABLE
        return Fault(fault_kind, _short(error), "check host, port, TLS, and that it is running")
    if isinstance(error, redis.TimeoutError):
        return Fault(FaultKind.LOST, "no answer")
    if isinstance(error, exceptions.RedisClusterException):
        return _cluster(error, handled)
    if isinstance(error, redis.ConnectionError | OSError):
        return Fault(FaultKind.LOST, _short(error))
    return Fault(FaultKind.FATAL, _short(error))


def _cluster(error: BaseException, handled: BaseException | None) -> Fault:
    """Its messages may hold arguments of the call, so they are not cited."""
    if "Cluster mode is not enabled" in str(error):
        return Fault(FaultKind.FATAL, "it is not a cluster", "connect by redis:// instead")
    cause_faults = [classify(cause, handled) for cause in list(_causes(error, handled))[1:]]
    decisive_faults = [
        fault for fault in cause_faults if fault.kind in (FaultKind.FATAL, FaultKind.SILENT)
    ]
    if decisive_faults:
        return decisive_faults[0]
    return Fault(FaultKind.UNREACHABLE, "no node of the cluster answers", "check hosts and ports")


def _causes(error: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it, as far as the call goes."""
    cause: BaseException | None = error
    while cause is not None and cause is not handled:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _short(error: BaseException) -> str:
    error_text = (
        str(error) if isinstance(error, Unreachable) else f"{type(error).__name__}: {error}"
    )
    return error_text[:300].rstrip(". ")
