"""The extractor of one Memory: reads sessions in the background or on request."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from threadkeep.core import names
from threadkeep.core.engine import Engine
from threadkeep.longterm.chat_model import create_model
from threadkeep.longterm.extraction.lease import ExtractionWorker
from threadkeep.longterm.extraction.report import Report
from threadkeep.longterm.extraction.scheduler import Backlog, ExtractionThread
from threadkeep.longterm.extraction.session_locks import SessionLocks
from threadkeep.longterm.extraction.status import newest_item, watermark_of
from threadkeep.longterm.extraction.worker import extract_batch
from threadkeep.longterm.settings import ExtractionSettings, parse_settings
from threadkeep.sessions import scan
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Item, SessionInfo

if TYPE_CHECKING:
    from threadkeep.longterm.extraction.metrics import ExtractionMetrics

_MAX_BATCHES: Final = 10_000
"""Batches of one session in a row: no session is read for ever."""

FORK_LOCK: Final = threading.RLock()
"""Held across a fork, so that no child inherits it held."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=FORK_LOCK.acquire,
        after_in_parent=FORK_LOCK.release,
        after_in_child=FORK_LOCK.release,
    )


class Extractor:
    """Extracts knowledge from what is beyond the watermarks. Thread-safe and fork-safe.

    Its thread starts with the first message, and ends with the engine.

    Args:
        engine: of the sessions.
        settings: model and limits; default: `connect(llm=)`.

    Raises:
        ConfigError: the settings make no sense.
        MissingExtra: the model needs a package that is not installed.
    """

    def __init__(self, engine: Engine, settings: ExtractionSettings | None = None) -> None:
        self._settings = settings or parse_settings(engine.settings.llm)
        self._engine = engine
        self._worker = ExtractionWorker(engine, self._settings, create_model(self._settings))
        self._locks = SessionLocks(self._worker.lease_seconds)
        self._background: ExtractionThread | None = None
        self._closed = False
        self._metrics: ExtractionMetrics | None = None
        if engine.settings.observe:
            from threadkeep.longterm.extraction.metrics import ExtractionMetrics

            self._metrics = ExtractionMetrics(self.backlog)

    def note(self, session: str, items: Sequence[Item]) -> None:
        """Note new items of a session; no I/O."""
        background_thread = self._background
        if background_thread is None or background_thread.pid != os.getpid():
            background_thread = self._start_background()
        background_thread.note(session, items)

    def upto(self, session: str, user: str | None, generation: int) -> int:
        """The seq up to which this generation of a session was read."""
        return watermark_of(self._engine, session, user, generation).seq

    def extract(self, user: str | None, session: str | None, *, retry: bool) -> Report:
        """As `Memory.extract`."""
        report = Report()
        for session_id in self._sessions(user, session):
            report += self.extract_session(session_id, retry=retry)
        return report

    def extract_session(self, session: str, *, retry: bool = False) -> Report:
        """Read a session to its end, or until it fails."""
        with self._locks.hold(session):
            return self._extract_locked(session, retry)

    def _extract_locked(self, session: str, retry: bool) -> Report:
        report = Report()
        for _ in range(_MAX_BATCHES):
            start_time = time.perf_counter()
            batch_report, has_more = extract_batch(self._worker, session, retry=retry)
            if self._metrics is not None:
                self._metrics.record(batch_report, time.perf_counter() - start_time)
            report += batch_report
            if not has_more:
                break
        return report.as_one_session()

    def flush(self, timeout: float) -> bool:
        """As `Memory.flush`."""
        background_thread = self._background
        if background_thread is None or background_thread.pid != os.getpid():
            return True
        return background_thread.flush(timeout)

    def backlog(self) -> Backlog:
        """The sessions of this process with unread messages."""
        background_thread = self._background
        is_running = (
            background_thread is not None
            and background_thread.pid == os.getpid()
            and not self._closed
        )
        return (
            background_thread.backlog()
            if background_thread is not None and is_running
            else Backlog()
        )

    def close(self) -> None:
        """End the thread within a second; an answer under way is let go, and asked for again."""
        self._closed = True
        background_thread = self._background
        if (
            background_thread is None
            or background_thread.pid != os.getpid()
            or background_thread.stop()
        ):
            self._worker.model.close()

    def _start_background(self) -> ExtractionThread:
        with FORK_LOCK:
            background_thread = self._background
            if background_thread is None or background_thread.pid != os.getpid():
                background_thread = ExtractionThread(
                    self._settings, self.extract_session, self._worker.model.close
                )
                self._background = background_thread
                if not self._closed:
                    background_thread.start()
            return background_thread

    def _sessions(self, user: str | None, session: str | None) -> Iterator[str]:
        """The ids of sessions that may have something to read."""
        if session is not None:
            SessionStream(self._engine, SessionInfo(names.check(session, "session"), user)).read()
            yield session
            return
        for _, session_info in scan.sessions(self._engine, user, None):
            if self._is_behind(session_info):
                yield session_info.id

    def _is_behind(self, info: SessionInfo) -> bool:
        newest_seq, generation = newest_item(self._engine, info)
        if not newest_seq:
            return False
        watermark = watermark_of(self._engine, info.id, info.user, generation)
        return watermark.seq < newest_seq or bool(watermark.again)
