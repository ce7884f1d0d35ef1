"""Runs calls on connections of a pool: a deadline, retries, and errors mapped to ours."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.common.faults import Failed, Fault, FaultKind
from threadkeep.backends.common.retry import RetryLoop
from threadkeep.backends.sql.dialect import Dialect
from threadkeep.backends.sql.pool import ConnectionSource, Lease
from threadkeep.backends.sql.watchdog import Watchdog
from threadkeep.errors import BackendError

T = TypeVar("T")

Work = Callable[[Any], T]
_ABORTED: Final = Fault(FaultKind.TIMEOUT, "no answer")


class RetryingConnection:
    """Runs work on connections of a pool."""

    def __init__(
        self, source: ConnectionSource, dialect: Dialect, *, location: str, timeout: float
    ) -> None:
        self._source = source
        self._dialect = dialect
        self._loop = RetryLoop(location, timeout)
        self._watchdog = Watchdog(dialect.abort, timeout)

    def run(self, work: Work[T], *, deadline: Deadline | None = None, repeatable: bool = True) -> T:
        """Run work with retries; see `RetryLoop.run`."""
        attempt = partial(self._attempt, work)
        return self._loop.run(attempt, deadline=deadline, repeatable=repeatable)

    def run_unpooled(self, operation: Callable[[], T], deadline: Deadline) -> T:
        """The same for an operation with a connection of its own, which raises `Failed`."""
        return self._loop.run(lambda _: operation(), deadline=deadline)

    def ping_by(self, connect: Callable[[Deadline], Any]) -> None:
        """Have the server asked for a sign of life by a connection that `connect` opens."""

        def ping(deadline: Deadline) -> None:
            try:
                connect(deadline).close()
            except self._dialect.errors as error:
                fault = self._dialect.classify(error)
                is_connection_lost = fault.kind in (FaultKind.LOST, FaultKind.TIMEOUT)
                fault_kind = FaultKind.UNREACHABLE if is_connection_lost else fault.kind
                raise Failed(fault._replace(kind=fault_kind), error) from None

        self._loop.ping = ping

    def close(self) -> None:
        """End the thread that ends calls at their deadline."""
        self._watchdog.close()

    def _attempt(self, work: Work[T], deadline: Deadline) -> T:
        connection_lease = self._acquire(deadline)
        connection = connection_lease.driver_connection
        watchdog_key = self._watchdog.start(deadline, connection)
        is_broken = True
        try:
            work_result = work(connection)
            is_broken = not self._watchdog.stop(watchdog_key)
            return work_result
        except BackendError:  # some are OSErrors, as are some of the driver's
            is_broken = not self._watchdog.stop(watchdog_key) or not self._rolled_back(connection)
            raise
        except self._dialect.errors as error:
            is_aborted = not self._watchdog.stop(watchdog_key)
            fault = _ABORTED if is_aborted else self._dialect.classify(error)
            is_broken = (
                is_aborted or fault.kind is FaultKind.LOST or not self._rolled_back(connection)
            )
            if fault.kind is FaultKind.LOST:
                self._source.distrust()
            raise Failed(fault, error) from None
        finally:
            self._watchdog.stop(watchdog_key)
            self._source.release(connection_lease, broken=is_broken)

    def _acquire(self, deadline: Deadline) -> Lease:
        try:
            lease = self._source.acquire(deadline)
        except BackendError:
            raise
        except self._dialect.errors as error:
            fault = self._dialect.classify(error)
            if fault.kind is FaultKind.LOST:
                fault = fault._replace(kind=FaultKind.UNREACHABLE)
            raise Failed(fault, error) from None
        self._loop.connected = True
        return lease

    def _rolled_back(self, connection: Any) -> bool:
        try:
            connection.rollback()
        except self._dialect.errors:
            return False
        return True
