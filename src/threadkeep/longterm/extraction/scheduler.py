"""The background thread of extraction: when sessions are due, and flushes."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from threadkeep.longterm.extraction.explicit_requests import contains_request
from threadkeep.longterm.extraction.report import Report
from threadkeep.longterm.settings import ExtractionSettings
from threadkeep.types import Item

_MAX_NOTED: Final = 10_000
"""Sessions and messages that are remembered, at most; `process` finds what is forgotten."""

_GATHER_SECONDS: Final = 0.02
"""Seconds that what is said at once is gathered for."""

_JOIN_TIMEOUT: Final = 0.5
_FIRST_BACKOFF: Final = 5.0
_MAX_BACKOFF: Final = 300.0

_log = logging.getLogger("threadkeep")


@dataclass(slots=True)
class PendingSession:
    """A session that something was said in.

    Attributes:
        turns: since it was last read.
        role: who spoke last.
        first_noted: when something was first said since, by a clock that nobody sets.
        last_noted: when somebody spoke last, by the same.
        has_request: whether the user asked for something to be remembered or forgotten.
        backoff: seconds to the next try, after one that failed.
        not_before: no try before this.
    """

    turns: int = 0
    role: str = ""
    first_noted: float = 0.0
    last_noted: float = 0.0
    has_request: bool = False
    backoff: float = 0.0
    not_before: float = 0.0

    def due_at(self, settings: ExtractionSettings) -> float:
        """When it is to be read."""
        is_urgent = self.has_request or self.turns >= settings.every
        return max(self.not_before, self.last_noted + (0.0 if is_urgent else settings.idle))


@dataclass(frozen=True, slots=True)
class Backlog:
    """What this process has noted and not read yet.

    Attributes:
        sessions: in how many something is unread.
        seconds: how long ago the oldest of it was said.
    """

    sessions: int = 0
    seconds: float = 0.0


class ExtractionThread:
    """A daemon thread of one process.

    Args:
        settings: when sessions are due.
        extract: reads one session.
        on_exit: called when the thread ends.
    """

    def __init__(
        self,
        settings: ExtractionSettings,
        extract: Callable[[str], Report],
        on_exit: Callable[[], None],
    ) -> None:
        self.pid = os.getpid()
        self._settings, self._extract, self._on_exit = settings, extract, on_exit
        self._noted: deque[tuple[str, Sequence[Item], float]] = deque(maxlen=_MAX_NOTED)
        self._waiting: deque[FlushTicket] = deque()
        self._pending: dict[str, PendingSession] = {}
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="threadkeep learner", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def note(self, session: str, items: Sequence[Item]) -> None:
        """Take notice; nothing is looked at here."""
        self._noted.append((session, items, time.monotonic()))
        if not self._wake.is_set():
            self._wake.set()

    def flush(self, timeout: float) -> bool:
        """Wait until everything noted is read. Returns True if it was, in time."""
        if not self._thread.is_alive():
            return False
        ticket = FlushTicket()
        self._waiting.append(ticket)
        self._wake.set()
        return ticket.done.wait(timeout) and ticket.complete

    def backlog(self) -> Backlog:
        """What is unread, from any thread."""
        noted_pairs = [(session_id, noted_at) for session_id, _, noted_at in self._noted.copy()]
        pending_pairs = [
            (session_id, pending_session.first_noted)
            for session_id, pending_session in self._pending.copy().items()
        ]
        if not (unread_sessions := [*pending_pairs, *noted_pairs]):
            return Backlog()
        oldest_noted_at = min(noted_at for _, noted_at in unread_sessions)
        return Backlog(
            len({session_id for session_id, _ in unread_sessions}),
            time.monotonic() - oldest_noted_at,
        )

    def stop(self) -> bool:
        """Stop the thread. Returns True if it ended within the timeout."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_TIMEOUT)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(self._seconds_until_due())
            self._wake.clear()
            self._stop.wait(_GATHER_SECONDS)
            tickets = [self._waiting.popleft() for _ in range(len(self._waiting))]
            self._collect_noted()
            is_complete = self._extract_due(everything=bool(tickets))
            for ticket in tickets:
                ticket.resolve(is_complete)
        for ticket in self._waiting:
            ticket.resolve(False)
        self._on_exit()

    def _seconds_until_due(self) -> float | None:
        if not self._pending:
            return None
        first_due_at = min(session.due_at(self._settings) for session in self._pending.values())
        return min(max(0.0, first_due_at - time.monotonic()), threading.TIMEOUT_MAX)

    def _collect_noted(self) -> None:
        for _ in range(len(self._noted)):
            session_id, items, noted_at = self._noted.popleft()
            pending_session = self._pending.setdefault(
                session_id, PendingSession(first_noted=noted_at)
            )
            pending_session.last_noted = noted_at
            for item in items:
                if item.type == "message" and item.role in ("user", "assistant"):
                    pending_session.turns += item.role != pending_session.role
                    pending_session.role = item.role
                    pending_session.has_request = pending_session.has_request or (
                        item.role == "user" and contains_request(item.text)
                    )
        while len(self._pending) > _MAX_NOTED:
            del self._pending[next(iter(self._pending))]

    def _extract_due(self, *, everything: bool) -> bool:
        """Extract from what is due, or everything. Returns True if nothing was left over."""
        now, is_complete = time.monotonic(), True
        for session_id, pending_session in list(self._pending.items()):
            if self._stop.is_set():
                return False
            if everything or pending_session.due_at(self._settings) <= now:
                is_complete = self._extract_session(session_id, pending_session) and is_complete
        return is_complete

    def _extract_session(self, session: str, pending: PendingSession) -> bool:
        try:
            report = self._extract(session)
        except Exception as error:  # the next try may do better
            if not self._stop.is_set():
                _log.warning("learning from a session failed (%s)", type(error).__name__)
            report = Report(failures=1)
        if (report.failures and not report.dead) or report.waiting or report.busy:
            pending.backoff = min(_MAX_BACKOFF, pending.backoff * 2 or _FIRST_BACKOFF)
            pending.not_before = time.monotonic() + pending.backoff
        else:
            self._pending.pop(session, None)
        return report.complete


class FlushTicket:
    """A caller that waits for a flush."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.complete = False

    def resolve(self, complete: bool) -> None:
        """Wake the caller with the outcome."""
        self.complete = complete
        self.done.set()
