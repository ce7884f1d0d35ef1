"""The retry loop of all stores with a server: one deadline, and what may safely be repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from threadkeep.backends.common.circuit import Circuit
from threadkeep.backends.common.commit import Change
from threadkeep.backends.common.deadline import Deadline, backoff
from threadkeep.backends.common.faults import (
    Failed,
    Fault,
    FaultKind,
    outage_error,
    timeout_error,
    to_error,
    unknown_outcome,
)
from threadkeep.core.call_limit import Purpose, purpose
from threadkeep.errors import BackendError, BackendTimeout, Conflict
from threadkeep.types import Commit

T = TypeVar("T")

_UNREACHABLE: Final = (FaultKind.UNREACHABLE, FaultKind.SILENT)
_SILENCE: Final = Fault(FaultKind.SILENT, "no answer", "look whether the server runs")
_SHORT: Final = 0.5
"""Seconds after which a read without an answer asks whether the server lives."""
_SIGN_OF_LIFE: Final = 1.0
"""Seconds in which it must give a sign of life."""
_FAILOVER: Final = 1.0
"""Seconds given to what a failover mends, and waiting alone does not."""


class RetryLoop:
    """Repeats the calls to one store.

    Attributes:
        connected: a connection was made before, so a server that cannot be reached may come
            back. Its store sets it.
        ping: gets an answer from the server on a connection of its own, or raises `Failed` or
            `BackendTimeout`; `None` = the store's driver looks after dead connections itself.

    Args:
        location: the store, for errors.
        timeout: seconds a call may take in all: waiting for a connection, the server, retries.
    """

    def __init__(self, location: str, timeout: float) -> None:
        self._location = location
        self._timeout = timeout
        self.connected = False
        self.ping: Callable[[Deadline], object] | None = None
        self.circuit = Circuit()

    def run(
        self,
        attempt: Callable[[Deadline], T],
        *,
        deadline: Deadline | None = None,
        repeatable: bool = True,
    ) -> T:
        """Call `attempt`, again where that may help, until the deadline.

        Args:
            attempt: raises `Failed` instead of a driver's error.
            deadline: of a call that has begun already.
            repeatable: whether it may be repeated if a connection broke and nobody knows
                whether it was done.

        Raises:
            BackendTimeout: not done within the time-out.
            BackendError: what the server says, or that it cannot be reached.
        """
        deadline = deadline or Deadline(self._timeout)
        attempt_number = 0
        if not self.circuit.begin(deadline):
            raise self._refusal()
        while True:
            try:
                attempt_outcome = self._attempt(attempt, deadline)
                self.circuit.succeeded()
                return attempt_outcome
            except Failed as failure:
                fault, cause = failure.fault, failure.cause
            except BackendTimeout:
                self.circuit.timed_out()
                raise
            self.circuit.failed(fault)
            self.circuit.shorten(deadline)
            if fault.kind is FaultKind.LOST and not repeatable:
                raise unknown_outcome(self._location) from cause
            is_retry_useful = self._may_help(fault, deadline)
            if not is_retry_useful and (deadline.remaining() or fault.kind not in _UNREACHABLE):
                raise to_error(fault, self._location, deadline.timeout) from cause
            if not is_retry_useful or not self._wait(fault, attempt_number, deadline):
                self.circuit.timed_out()
                raise timeout_error(fault, self._location, deadline.timeout) from cause
            attempt_number += 1

    def _attempt(self, attempt: Callable[[Deadline], T], deadline: Deadline) -> T:
        """Make an attempt that no dead connection can keep for long.

        After an outage, the server is first asked for a sign of life. A read that gets no answer
        for a moment is given up, the server is asked, and only if it lives the read has all its
        time.
        """
        if self.ping is None or not self.connected:
            return attempt(deadline)
        if self.circuit.down:
            self._ask(self.ping, deadline)
        elif purpose() is Purpose.READ and not self.circuit.confirmed:
            short_deadline = deadline.part(_SHORT)
            try:
                return attempt(short_deadline)
            except (Failed, BackendTimeout):
                if short_deadline.remaining() > 0 or not deadline.remaining():
                    raise
            self._ask(self.ping, deadline)
            self.circuit.confirm()
        return attempt(deadline)

    def _ask(self, ping: Callable[[Deadline], object], deadline: Deadline) -> None:
        """Ask the server for a sign of life; `Failed` without one."""
        ping_deadline = deadline.part(_SIGN_OF_LIFE)
        try:
            ping(ping_deadline)
        except BackendTimeout as error:
            error_text = f"a new connection got no answer within {ping_deadline.timeout:.2g} s"
            raise Failed(Fault(FaultKind.SILENT, error_text, _SILENCE.remedy), error) from None

    def _wait(self, fault: Fault, number: int, deadline: Deadline) -> bool:
        """Wait before the next attempt; False = no time is left."""
        if fault.kind in _UNREACHABLE:
            return self.circuit.begin(deadline) and deadline.remaining() > 0
        return backoff(number, deadline)

    def _refusal(self) -> BackendError:
        fault = self.circuit.fault or _SILENCE
        return outage_error(fault, self._location)

    def _may_help(self, fault: Fault, deadline: Deadline) -> bool:
        """Whether the same call may succeed later."""
        if fault.kind in _UNREACHABLE:
            return self.connected
        if fault.kind is FaultKind.FAILOVER:
            return deadline.elapsed() < _FAILOVER
        return fault.kind in (FaultKind.RETRY, FaultKind.LOST)


def run_commit(run: Callable[..., Commit], work: Callable[[Any], Commit], change: Change) -> Commit:
    """Run a commit; a retry that finds its stream already gone has succeeded.

    Args:
        run: runs work with retries: `run(work, repeatable=...)`.

    Raises:
        Conflict: the live stream does not have the version that the change expects.
    """
    attempt_count = 0

    def attempt(handle: Any) -> Commit:
        nonlocal attempt_count
        attempt_count += 1
        return work(handle)

    try:
        return run(attempt, repeatable=change.repeatable)
    except Conflict as conflict:
        if attempt_count > 1 and change.ends_stream and conflict.current == 0:
            return Commit(0, [])
        raise
