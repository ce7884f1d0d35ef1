"""One call: a connection, a deadline, retries of what may pass, and errors in our words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from threadkeep.backends.common.deadline import Deadline, backoff
from threadkeep.backends.sql import driver_errors
from threadkeep.backends.sql.dialect import Dialect
from threadkeep.backends.sql.driver_errors import Fault, Kind
from threadkeep.backends.sql.pool import ConnectionSource, Lease
from threadkeep.backends.sql.watchdog import Watchdog
from threadkeep.errors import BackendError

T = TypeVar("T")

Work = Callable[[Any], T]
_ABORTED: Final = Fault(Kind.TIMEOUT, "no answer")


class Failed(Exception):
    """The driver's error, understood."""

    def __init__(self, fault: Fault, cause: Exception) -> None:
        super().__init__(fault.says)
        self.fault = fault
        self.cause = cause


class RetryingConnection:
    """Runs work on connections of a pool.

    Attributes:
        proven: a connection was made before, so a server that cannot be reached may come back.
    """

    def __init__(
        self, source: ConnectionSource, dialect: Dialect, *, where: str, timeout: float
    ) -> None:
        self._source = source
        self._dialect = dialect
        self._where = where
        self._timeout = timeout
        self.proven = False
        self.watch = Watchdog(dialect.abort, timeout)

    def run(self, work: Work[T], *, deadline: Deadline | None = None, repeatable: bool = True) -> T:
        """Do it, again where that may help, until the deadline.

        Args:
            repeatable: may it be done again if a connection broke and nobody knows whether it
                was done?

        Raises:
            BackendTimeout: not done within the time-out.
            BackendError: what the database says, or that it cannot be reached.
        """
        deadline = deadline or Deadline(self._timeout)
        return self.patiently(lambda: self._once(work, deadline), deadline, repeatable=repeatable)

    def patiently(self, once: Callable[[], T], deadline: Deadline, *, repeatable: bool = True) -> T:
        """The same for anything that raises `Failed`."""
        attempt = 0
        while True:
            try:
                return once()
            except Failed as failed:
                fault = failed.fault
                if fault.kind is Kind.LOST and not repeatable:
                    raise driver_errors.unknown(self._where) from failed.cause
                if not self._hopeful(fault) or not backoff(attempt, deadline):
                    raise self._error(fault, deadline) from failed.cause
            attempt += 1

    def failed(self, error: Exception) -> Failed:
        """The driver's error, understood."""
        return Failed(self._dialect.fault(error), error)

    def _once(self, work: Work[T], deadline: Deadline) -> T:
        lent = self._take(deadline)
        connection = lent.driver_connection
        key = self.watch.start(deadline, connection)
        broken = True
        try:
            done = work(connection)
            broken = not self.watch.stop(key)
            return done
        except BackendError:  # some are OSErrors, as are some of the driver's
            broken = not self.watch.stop(key) or not self._rolled_back(connection)
            raise
        except self._dialect.errors as error:
            aborted = not self.watch.stop(key)
            fault = _ABORTED if aborted else self._dialect.fault(error)
            broken = aborted or fault.kind is Kind.LOST or not self._rolled_back(connection)
            if fault.kind is Kind.LOST:
                self._source.distrust()
            raise Failed(fault, error) from None
        finally:
            self.watch.stop(key)
            self._source.release(lent, broken=broken)

    def _take(self, deadline: Deadline) -> Lease:
        try:
            lent = self._source.acquire(deadline)
        except BackendError:
            raise
        except self._dialect.errors as error:
            fault = self._dialect.fault(error)
            if fault.kind is Kind.LOST:
                fault = fault._replace(kind=Kind.UNREACHABLE)
            raise Failed(fault, error) from None
        self.proven = True
        return lent

    def _rolled_back(self, connection: Any) -> bool:
        try:
            connection.rollback()
        except self._dialect.errors:
            return False
        return True

    def _hopeful(self, fault: Fault) -> bool:
        if fault.kind is Kind.UNREACHABLE:
            return self.proven
        return fault.kind in (Kind.AGAIN, Kind.LOST)

    def _error(self, fault: Fault, deadline: Deadline) -> BackendError:
        if fault.kind is Kind.AGAIN or (fault.kind is Kind.LOST and not deadline.remaining()):
            return driver_errors.late(self._where, deadline.timeout, fault.says)
        return driver_errors.error(fault, self._where, deadline.timeout)
