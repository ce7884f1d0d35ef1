"""The thread that learns while people talk: when a session is due, and who waits for it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from threadkeep.longterm.extraction.explicit_requests import asks
from threadkeep.longterm.extraction.report import Report
from threadkeep.longterm.settings import Learning
from threadkeep.types import Item

_MOST: Final = 10_000
"""Sessions and messages that are remembered, at most; `process` finds what is forgotten."""

_TOGETHER: Final = 0.02
"""Seconds that what is said at once is gathered for."""

_PATIENCE: Final = 0.5
_FIRST_WAIT: Final = 5.0
_LONGEST_WAIT: Final = 300.0

_log = logging.getLogger("threadkeep")


@dataclass(slots=True)
class Pending:
    """A session that something was said in.

    Attributes:
        turns: since it was last read.
        role: who spoke last.
        first: when something was first said since, by a clock that nobody sets.
        last: when somebody spoke last, by the same.
        asks: whether the user asked for something to be remembered or forgotten.
        wait: seconds to the next try, after one that failed.
        after: no try before this.
    """

    turns: int = 0
    role: str = ""
    first: float = 0.0
    last: float = 0.0
    asks: bool = False
    wait: float = 0.0
    after: float = 0.0

    def due(self, said: Learning) -> float:
        """When it is to be read."""
        at_once = self.asks or self.turns >= said.every
        return max(self.after, self.last + (0.0 if at_once else said.idle))


@dataclass(frozen=True, slots=True)
class Backlog:
    """What this process has noted and not read yet.

    Attributes:
        sessions: in how many something is unread.
        seconds: how long ago the oldest of it was said.
    """

    sessions: int = 0
    seconds: float = 0.0


class Background:
    """A daemon thread of one process.

    Args:
        said: when sessions are due.
        read: reads one.
        last: what the thread does when it ends.
    """

    def __init__(
        self, said: Learning, read: Callable[[str], Report], last: Callable[[], None]
    ) -> None:
        self.pid = os.getpid()
        self._said, self._read, self._last = said, read, last
        self._noted: deque[tuple[str, Sequence[Item], float]] = deque(maxlen=_MOST)
        self._waiting: deque[Flush] = deque()
        self._pending: dict[str, Pending] = {}
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="threadkeep learner", daemon=True)

    def begin(self) -> None:
        """Start the thread."""
        self._thread.start()

    def note(self, session: str, items: Sequence[Item]) -> None:
        """Take notice; nothing is looked at here."""
        self._noted.append((session, items, time.monotonic()))
        if not self._wake.is_set():
            self._wake.set()

    def flush(self, timeout: float) -> bool:
        """Wait until all that was noted is read; whether it was."""
        if not self._thread.is_alive():
            return False
        ticket = Flush()
        self._waiting.append(ticket)
        self._wake.set()
        return ticket.done.wait(timeout) and ticket.complete

    def backlog(self) -> Backlog:
        """What is unread, from any thread."""
        noted = [(session, at) for session, _, at in self._noted.copy()]
        pending = [(session, one.first) for session, one in self._pending.copy().items()]
        if not (found := [*pending, *noted]):
            return Backlog()
        oldest = min(at for _, at in found)
        return Backlog(len({session for session, _ in found}), time.monotonic() - oldest)

    def end(self) -> bool:
        """Let the thread end; whether it did so at once."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_PATIENCE)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(self._sleep())
            self._wake.clear()
            self._stop.wait(_TOGETHER)
            tickets = [self._waiting.popleft() for _ in range(len(self._waiting))]
            self._gather()
            complete = self._serve(everything=bool(tickets))
            for ticket in tickets:
                ticket.answer(complete)
        for ticket in self._waiting:
            ticket.answer(False)
        self._last()

    def _sleep(self) -> float | None:
        if not self._pending:
            return None
        first = min(one.due(self._said) for one in self._pending.values())
        return min(max(0.0, first - time.monotonic()), threading.TIMEOUT_MAX)

    def _gather(self) -> None:
        for _ in range(len(self._noted)):
            session, items, at = self._noted.popleft()
            one = self._pending.setdefault(session, Pending(first=at))
            one.last = at
            for item in items:
                if item.type == "message" and item.role in ("user", "assistant"):
                    one.turns += item.role != one.role
                    one.role = item.role
                    one.asks = one.asks or (item.role == "user" and asks(item.text))
        while len(self._pending) > _MOST:
            del self._pending[next(iter(self._pending))]

    def _serve(self, *, everything: bool) -> bool:
        """Read what is due, or everything; whether nothing of that was left."""
        now, complete = time.monotonic(), True
        for session, one in list(self._pending.items()):
            if self._stop.is_set():
                return False
            if everything or one.due(self._said) <= now:
                complete = self._one(session, one) and complete
        return complete

    def _one(self, session: str, one: Pending) -> bool:
        try:
            report = self._read(session)
        except Exception as error:  # the next try may do better
            if not self._stop.is_set():
                _log.warning("learning from a session failed (%s)", type(error).__name__)
            report = Report(failures=1)
        if (report.failures and not report.dead) or report.waiting or report.busy:
            one.wait = min(_LONGEST_WAIT, one.wait * 2 or _FIRST_WAIT)
            one.after = time.monotonic() + one.wait
        else:
            self._pending.pop(session, None)
        return report.complete


class Flush:
    """Somebody who waits."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.complete = False

    def answer(self, complete: bool) -> None:
        """Let them go on."""
        self.complete = complete
        self.done.set()
