"""What went wrong, in a few kinds: that decides whether to try again, and what to say."""

from __future__ import annotations

import enum
import re
import ssl
from collections.abc import Iterator
from typing import Final, NamedTuple

import redis
from redis import exceptions

from threadkeep.backends.redis.connections import Unreachable
from threadkeep.errors import BackendError, BackendTimeout

ERRORS: Final = (redis.RedisError, exceptions.RedisClusterException, OSError)
"""What redis-py raises."""


class Kind(enum.Enum):
    """What an error means for the call that met it."""

    AGAIN = "nothing was written, and the same call may succeed soon"
    BRIEFLY = "as above, but rather not: worth a second"
    LOST = "the connection broke; whether a commit in flight was written is unknown"
    UNREACHABLE = "no connection could be made"
    SILENT = "the same, for want of an answer"
    FULL = "all connections of the application's own client are in use"
    FATAL = "trying again will not help"


class Fault(NamedTuple):
    """An error of the driver's, understood."""

    kind: Kind
    says: str
    remedy: str = ""


_CODES: Final = {
    "LOADING": Fault(Kind.AGAIN, "it is loading its data (LOADING)", "wait until it is ready"),
    "BUSY": Fault(Kind.AGAIN, "a long script is running (BUSY)", "find it in SLOWLOG"),
    "TRYAGAIN": Fault(Kind.AGAIN, "a slot is moving (TRYAGAIN)"),
    "MASTERDOWN": Fault(Kind.AGAIN, "its primary is down (MASTERDOWN)", "look at the replication"),
    "CLUSTERDOWN": Fault(
        Kind.AGAIN, "the cluster is down (CLUSTERDOWN)", "look at CLUSTER INFO and failed nodes"
    ),
    "NOREPLICAS": Fault(
        Kind.BRIEFLY, "too few replicas for a write (NOREPLICAS)", "look at min-replicas-to-write"
    ),
    "READONLY": Fault(
        Kind.BRIEFLY,
        "this server is a read-only replica (READONLY)",
        "connect to the primary, by redis+cluster://, or by a client of Sentinel",
    ),
    "OOM": Fault(
        Kind.FATAL,
        "its memory is full (OOM)",
        "raise maxmemory, or store less: a shorter ttl or retention_days, and sweep",
    ),
    "MISCONF": Fault(
        Kind.FATAL, "it cannot save to disk and takes no writes (MISCONF)", "look at its log"
    ),
    "NOAUTH": Fault(Kind.FATAL, "it wants a password (NOAUTH)", "pass a username and password"),
    "WRONGPASS": Fault(
        Kind.FATAL, "it does not accept this username and password", "check both, and the ACL"
    ),
    "NOPERM": Fault(
        Kind.FATAL,
        "this user may not do that (NOPERM)",
        "allow +@read +@write +@scripting +@connection and the keys of the prefix in the ACL",
    ),
    "CROSSSLOT": Fault(Kind.FATAL, "this is a cluster (CROSSSLOT)", "connect by redis+cluster://"),
    "MOVED": Fault(Kind.FATAL, "this is a cluster (MOVED)", "connect by redis+cluster://"),
    "WRONGTYPE": Fault(
        Kind.FATAL, "keys of this prefix are not ours (WRONGTYPE)", "choose another prefix"
    ),
}
_CODE: Final = re.compile(rf"(?:^|[\s-])({'|'.join(_CODES)})\b")
_KINDS: Final[tuple[tuple[type[BaseException], str], ...]] = (
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
    Kind.FATAL,
    "no TLS connection",
    "check that it speaks TLS, and that ssl_ca_certs names the CA of its certificate",
)


def understand(error: BaseException) -> Fault:
    """The kind of an error; what the server says is cited, stored text never is."""
    for kind, code in _KINDS:
        if isinstance(error, kind):
            return _CODES[code]
    if isinstance(error, redis.AuthenticationError):
        return _CODES["NOAUTH" if "required" in str(error) else "WRONGPASS"]
    if isinstance(error, redis.ResponseError):
        found = _CODE.search(str(error))
        return _CODES[found[1]] if found else Fault(Kind.FATAL, _short(error))
    return _connection(error)


def _connection(error: BaseException) -> Fault:
    if isinstance(error, exceptions.MaxConnectionsError) or "No connection available" in str(error):
        return Fault(
            Kind.FULL, "no connection of the client came free", "raise its max_connections"
        )
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return _TLS._replace(says=f"no TLS connection ({_short(cause)})")
    if isinstance(error, Unreachable):
        silent = isinstance(error.__cause__, redis.TimeoutError)
        kind = Kind.SILENT if silent else Kind.UNREACHABLE
        return Fault(kind, _short(error), "check host, port, TLS, and that it is running")
    if isinstance(error, redis.TimeoutError):
        return Fault(Kind.LOST, "no answer")
    if isinstance(error, exceptions.RedisClusterException):
        return _cluster(error)
    if isinstance(error, redis.ConnectionError | OSError):
        return Fault(Kind.LOST, _short(error))
    return Fault(Kind.FATAL, _short(error))


def _cluster(error: BaseException) -> Fault:
    """Its messages may hold arguments of the call, so they are not cited."""
    if "Cluster mode is not enabled" in str(error):
        return Fault(Kind.FATAL, "it is not a cluster", "connect by redis:// instead")
    causes = [understand(cause) for cause in list(_causes(error))[1:]]
    told = [fault for fault in causes if fault.kind in (Kind.FATAL, Kind.SILENT)]
    if told:
        return told[0]
    return Fault(Kind.UNREACHABLE, "no node of the cluster answers", "check hosts and ports")


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _short(error: BaseException) -> str:
    said = str(error) if isinstance(error, Unreachable) else f"{type(error).__name__}: {error}"
    return said[:300].rstrip(". ")


def error(fault: Fault, where: str) -> BackendError:
    """Our error for it."""
    said = f"{where}: {fault.says}"
    full = f"{said}: {fault.remedy}" if fault.remedy else said
    slow = fault.kind in (Kind.FULL, Kind.SILENT)
    return BackendTimeout(full) if slow else BackendError(full)


def late(where: str, timeout: float, fault: Fault) -> BackendTimeout:
    """The error for a call that reached its deadline."""
    remedy = fault.remedy or "look for load or a broken network"
    return BackendTimeout(
        f"{where}: not done within {timeout:g} s ({fault.says}): {remedy}, or raise `timeout`"
    )


def unknown(where: str) -> BackendError:
    """The error for a conditional commit whose answer was lost."""
    return BackendError(
        f"{where}: the connection broke during a commit, which may have been written or not: "
        "read again before repeating it, or pass a token"
    )
