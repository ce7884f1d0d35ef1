"""The circuit of one store: who asks a server that is down, who waits, and who is refused."""

from __future__ import annotations

import random
import threading
import time
from typing import Final

from threadkeep.backends.common import fork
from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.common.faults import Fault, FaultKind
from threadkeep.core.call_limit import Purpose, purpose

PATIENCE: Final = 2.0
"""Seconds after which a read of a store that is down has been refused."""

_CONFIRMED_SECONDS: Final = 10.0
_FIRST: Final = 0.002
_LONGEST: Final = 1.0
_DOUBLINGS: Final = 12
_DOWN: Final = (FaultKind.UNREACHABLE, FaultKind.SILENT)


class Circuit(fork.ForkAware):
    """Open while the server cannot be reached; then one call a second asks whether it is back.

    The others wait for its answer: a write until its deadline, so that it rides out a failover,
    a read for two seconds from the first failure on, and not at all after that. The first answer
    lets everybody go on. A server that was merely silent is asked by everybody, but not for
    longer than that by a read.
    """

    def __init__(self) -> None:
        self.after_fork_in_child()
        fork.register(self)

    def after_fork_in_child(self) -> None:
        """Start over: threads that asked or waited do not exist here."""
        self._changed = threading.Condition()
        self._down_since: float | None = None
        self._silent = False
        self._failures = 0
        self._asked_next = 0.0
        self._confirmed_until = 0.0
        self.fault: Fault | None = None

    @property
    def down(self) -> bool:
        """Whether the server could not be reached, and has not answered since."""
        return self._down_since is not None

    @property
    def confirmed(self) -> bool:
        """Whether the server answered a moment ago, so that a slow read is just slow."""
        return time.monotonic() < self._confirmed_until

    def confirm(self) -> None:
        """The server gave a sign of life."""
        self._confirmed_until = time.monotonic() + _CONFIRMED_SECONDS

    def begin(self, deadline: Deadline) -> bool:
        """Wait for the turn of a call; False = it is refused, for the reason in `fault`."""
        if self._down_since is None and not self._silent:
            return True
        self.shorten(deadline)
        return purpose() is Purpose.PROBE or self._wait_for_turn(deadline)

    def shorten(self, deadline: Deadline) -> None:
        """Leave a call so much time as it may still have, counted from when it was asked for.

        Else calls that wait for the threads of others would each begin to wait anew.
        """
        if self._down_since is not None or self._silent:
            is_read = purpose() is Purpose.READ
            deadline.shorten(PATIENCE if is_read else deadline.timeout)

    def succeeded(self) -> None:
        """The store answered."""
        if self._down_since is None and not self._silent:
            return
        with self._changed:
            self._down_since, self._silent, self._failures, self.fault = None, False, 0, None
            self._changed.notify_all()

    def failed(self, fault: Fault) -> None:
        """A call met this fault."""
        if fault.kind is FaultKind.TIMEOUT:
            self._silent = True
        if fault.kind not in _DOWN:
            return
        with self._changed:
            failure_time = time.monotonic()
            self._down_since = failure_time if self._down_since is None else self._down_since
            self.fault = fault
            self._failures += 1
            self._asked_next = failure_time + self._pause()

    def timed_out(self) -> None:
        """A call got no answer within its time-out."""
        self._silent = True

    def _wait_for_turn(self, deadline: Deadline) -> bool:
        with self._changed:
            while self._down_since is not None:
                now = time.monotonic()
                seconds_to_next_attempt = self._asked_next - now
                if seconds_to_next_attempt <= 0:
                    self._asked_next = now + self._pause()
                    return True
                seconds_left = deadline.remaining()
                if purpose() is Purpose.READ:
                    seconds_left = min(seconds_left, self._down_since + PATIENCE - now)
                if seconds_left <= 0:
                    return False
                self._changed.wait(min(seconds_to_next_attempt, seconds_left))
        return True

    def _pause(self) -> float:
        """Seconds until the next call asks: longer each time, up to one."""
        max_pause = min(_LONGEST, _FIRST * 2.0 ** min(self._failures, _DOUBLINGS))
        return random.uniform(max_pause / 2, max_pause)  # noqa: S311 (not for secrets)
