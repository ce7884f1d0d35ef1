"""Ends calls at their deadline where the driver alone would wait for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from threadkeep.backends.common import fork, fork_gate
from threadkeep.backends.common.deadline import Deadline

T = TypeVar("T")

_GRACE: Final = 0.05
_SHORTEST: Final = 0.001


class DeadlineExceeded(Exception):
    """The time is over; a result that arrives later is discarded."""


def call_with_timeout(seconds: float, work: Callable[[], T], undo: Callable[[T], object]) -> T:
    """Run `work` on a thread of its own and wait; pass a result that comes too late to `undo`.

    For connecting: no driver limits both name look-ups and handshakes reliably. A fork waits
    until the thread is gone.

    Raises:
        DeadlineExceeded: it took longer than `seconds`.
    """
    if seconds < _SHORTEST:  # to a socket, a time-out of 0 means: do not block
        raise DeadlineExceeded
    outcomes: list[tuple[T | None, BaseException | None]] = []
    finished_event, outcome_lock = threading.Event(), threading.Lock()
    is_caller_waiting = True

    def run() -> None:
        work_result: T | None = None
        error: BaseException | None = None
        try:
            work_result = work()
        except BaseException as caught_error:
            error = caught_error
        fork_gate.thread_ends()
        with outcome_lock:
            outcomes.append((work_result, error))
            is_abandoned = not is_caller_waiting
        finished_event.set()
        if is_abandoned and work_result is not None:
            undo(work_result)

    threading.Thread(target=run, name="threadkeep-connect", daemon=True).start()
    finished_event.wait(seconds)
    with outcome_lock:
        is_caller_waiting = False
        if not outcomes:
            raise DeadlineExceeded
    work_result, error = outcomes[0]
    if error is not None:
        raise error
    return work_result  # type: ignore[return-value]


class Watchdog(fork.ForkAware):
    """Aborts calls that reach their deadline.

    The thread sleeps until the earliest deadline; only an earlier one, of a call with a limit of
    its own, wakes it. The thread starts with a call, and ends after a whole time-out without any.
    """

    def __init__(self, abort: Callable[[Any], object], timeout: float) -> None:
        self._abort = abort
        self._timeout = timeout
        self.after_fork_in_child()
        fork.register(self)

    def after_fork_in_child(self) -> None:
        """Forget all calls and the thread, which the child has not."""
        self._calls: dict[int, tuple[float, Any]] = {}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._wakes_at = float("inf")
        self._woken = threading.Event()
        self._ended = False

    def start(self, deadline: Deadline, connection: Any) -> int:
        """Abort the connection at the deadline; returns the key for `stop`."""
        call_key = id(connection)
        self._calls[call_key] = (deadline.ends_at, connection)
        if self._thread is None:
            self._start_thread()
        elif deadline.ends_at < self._wakes_at:
            self._woken.set()
        return call_key

    def stop(self, key: int) -> bool:
        """Stop watching; returns False if the connection was aborted and is unusable."""
        return self._calls.pop(key, None) is not None

    def close(self) -> None:
        """End the thread."""
        self._ended = True
        self._woken.set()
        if thread := self._thread:
            thread.join(1.0)

    def _start_thread(self) -> None:
        with self._lock:
            if self._thread is None and not self._ended:
                self._thread = threading.Thread(
                    target=self._run, name="threadkeep-deadlines", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        while not self._ended:
            self._wakes_at = float("inf")  # a call that starts meanwhile wakes the thread
            self._woken.clear()
            if self._ended:
                return
            now = time.monotonic()
            self._abort_expired(now)
            earliest_deadline = min(
                (deadline_at for deadline_at, _ in [*self._calls.values()]),
                default=now + self._timeout,
            )
            self._wakes_at = earliest_deadline
            is_woken = self._woken.wait(max(_GRACE, earliest_deadline - now))
            with self._lock:
                if not self._calls and not is_woken:
                    self._thread = None
                    return

    def _abort_expired(self, now: float) -> None:
        for call_key, (deadline_at, connection) in [*self._calls.items()]:
            if deadline_at <= now and self._calls.pop(call_key, None) is not None:
                threading.Thread(target=self._abort, args=(connection,), daemon=True).start()
