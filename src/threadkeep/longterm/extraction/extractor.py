"""Who learns from the sessions of one Memory: in the background, or when asked to."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from threadkeep.core import names
from threadkeep.core.engine import Engine
from threadkeep.longterm.chat_model import model_of
from threadkeep.longterm.extraction.lease import Worker
from threadkeep.longterm.extraction.report import Report
from threadkeep.longterm.extraction.scheduler import Background, Backlog
from threadkeep.longterm.extraction.session_locks import SessionLocks
from threadkeep.longterm.extraction.status import mark_of, newest_of
from threadkeep.longterm.extraction.worker import work
from threadkeep.longterm.settings import Learning, learning
from threadkeep.sessions import scan
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Item, SessionInfo

if TYPE_CHECKING:
    from threadkeep.longterm.extraction.metrics import Measures

_BATCHES: Final = 10_000
"""Batches of one session in a row: no session is read for ever."""

LOCK: Final = threading.RLock()
"""Held across a fork, so that no child inherits it held."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=LOCK.acquire, after_in_parent=LOCK.release, after_in_child=LOCK.release
    )


class Learner:
    """Reads sessions behind their watermarks. Thread-safe, and safe across fork.

    Its thread is born when something is first said, and ends with the engine.

    Args:
        engine: of the sessions.
        said: which model, and how; else what the settings say.

    Raises:
        ConfigError: the settings make no sense.
        MissingExtra: the model needs a package that is not installed.
    """

    def __init__(self, engine: Engine, said: Learning | None = None) -> None:
        self._learning = said or learning(engine.settings.llm)
        self._engine = engine
        self._worker = Worker(engine, self._learning, model_of(self._learning))
        self._turns = SessionLocks(self._worker.longest)
        self._background: Background | None = None
        self._closed = False
        self._measures: Measures | None = None
        if engine.settings.observe:
            from threadkeep.longterm.extraction.metrics import Measures

            self._measures = Measures(self.backlog)

    def note(self, session: str, items: Sequence[Item]) -> None:
        """Take notice that something was said; no I/O."""
        found = self._background
        if found is None or found.pid != os.getpid():
            found = self._begin()
        found.note(session, items)

    def upto(self, session: str, user: str | None, life: int) -> int:
        """The seq that this life of a session was read up to."""
        return mark_of(self._engine, session, user, life).seq

    def process(self, user: str | None, session: str | None, *, retry: bool) -> Report:
        """As `Memory.process`."""
        total = Report()
        for id in self._sessions(user, session):
            total += self.read(id, retry=retry)
        return total

    def read(self, session: str, *, retry: bool = False) -> Report:
        """Read a session to its end, or until it fails."""
        with self._turns.of(session):
            return self._read(session, retry)

    def _read(self, session: str, retry: bool) -> Report:
        total = Report()
        for _ in range(_BATCHES):
            begun = time.perf_counter()
            report, more = work(self._worker, session, retry=retry)
            if self._measures is not None:
                self._measures.note(report, time.perf_counter() - begun)
            total += report
            if not more:
                break
        return total.as_one_session()

    def flush(self, timeout: float) -> bool:
        """As `Memory.flush`."""
        found = self._background
        if found is None or found.pid != os.getpid():
            return True
        return found.flush(timeout)

    def backlog(self) -> Backlog:
        """What was said in this process and not read yet."""
        found = self._background
        mine = found is not None and found.pid == os.getpid() and not self._closed
        return found.backlog() if found is not None and mine else Backlog()

    def close(self) -> None:
        """End the thread within a second; an answer under way is let go, and asked for again."""
        self._closed = True
        found = self._background
        if found is None or found.pid != os.getpid() or found.end():
            self._worker.model.close()

    def _begin(self) -> Background:
        with LOCK:
            found = self._background
            if found is None or found.pid != os.getpid():
                found = Background(self._learning, self.read, self._worker.model.close)
                self._background = found
                if not self._closed:
                    found.begin()
            return found

    def _sessions(self, user: str | None, session: str | None) -> Iterator[str]:
        """The ids of sessions that may have something to read."""
        if session is not None:
            SessionStream(self._engine, SessionInfo(names.check(session, "session"), user)).look()
            yield session
            return
        for _, info in scan.sessions(self._engine, user, None):
            if self._is_behind(info):
                yield info.id

    def _is_behind(self, info: SessionInfo) -> bool:
        newest, life = newest_of(self._engine, info)
        return newest > 0 and mark_of(self._engine, info.id, info.user, life).seq < newest
