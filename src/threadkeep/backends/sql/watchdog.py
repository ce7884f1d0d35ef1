"""What keeps a call from outliving its deadline where the driver alone would wait for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from threadkeep.backends.common.deadline import Deadline

T = TypeVar("T")

_GRACE: Final = 0.05


class Late(Exception):
    """The time is over; whatever comes of the work is thrown away."""


def within(seconds: float, work: Callable[[], T], undo: Callable[[T], object]) -> T:
    """Do the work on a thread of its own and wait that long; what comes later is undone.

    For connecting: name look-ups and handshakes have no time-out that every driver keeps.

    Raises:
        Late: it took longer.
    """
    done: list[tuple[T | None, BaseException | None]] = []
    finished, lock, waiting = threading.Event(), threading.Lock(), [True]

    def run() -> None:
        made: T | None = None
        error: BaseException | None = None
        try:
            made = work()
        except BaseException as caught:
            error = caught
        with lock:
            done.append((made, error))
            unwanted = not waiting[0]
        finished.set()
        if unwanted and made is not None:
            undo(made)

    threading.Thread(target=run, name="threadkeep-connect", daemon=True).start()
    finished.wait(seconds)
    with lock:
        waiting[0] = False
        if not done:
            raise Late
    made, error = done[0]
    if error is not None:
        raise error
    return made  # type: ignore[return-value]


class Watch:
    """Aborts calls whose deadline has come.

    All deadlines here are equally far ahead when they are set, so none that is set later comes
    sooner: the thread sleeps until the first one, and setting one wakes nobody. It begins with a
    call, and ends when for a whole time-out there was none.
    """

    def __init__(self, abort: Callable[[Any], object], timeout: float) -> None:
        self._abort = abort
        self._timeout = timeout
        self.reset()

    def reset(self) -> None:
        """Forget everything: a forked child has no threads."""
        self._calls: dict[int, tuple[float, Any]] = {}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def start(self, deadline: Deadline, connection: Any) -> int:
        """From now on the connection is aborted when the deadline comes."""
        key = id(connection)
        self._calls[key] = (deadline.at, connection)
        if self._thread is None:
            self._begin()
        return key

    def stop(self, key: int) -> bool:
        """Not any more; False = it was aborted, and is of no use."""
        return self._calls.pop(key, None) is not None

    def end(self) -> None:
        """Let the thread go."""
        self._ended.set()
        if thread := self._thread:
            thread.join(1.0)

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None and not self._ended.is_set():
                self._thread = threading.Thread(
                    target=self._run, name="threadkeep-deadlines", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        while not self._ended.is_set():
            now = time.monotonic()
            self._abort_late(now)
            first = min((at for at, _ in [*self._calls.values()]), default=now + self._timeout)
            self._ended.wait(max(_GRACE, first - now))
            with self._lock:
                if not self._calls:
                    self._thread = None
                    return

    def _abort_late(self, now: float) -> None:
        for key, (at, connection) in [*self._calls.items()]:
            if at <= now and self._calls.pop(key, None) is not None:
                threading.Thread(target=self._abort, args=(connection,), daemon=True).start()
