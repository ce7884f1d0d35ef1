"""Keeps the indexes of users: on demand, in the background after writes, and at the end."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.longterm.recall.query_user import Recall
from threadkeep.longterm.recall.segments import build, segment_plan
from threadkeep.longterm.recall.segments.pieces import BadPiece
from threadkeep.longterm.recall.segments.vector_build import VectorBuilder
from threadkeep.longterm.recall.sync import Outdated, SyncedIndex
from threadkeep.longterm.recall.vectors import EmbedderFault, Vectors, log_fault
from threadkeep.sessions import user_index

_TRIES: Final = 16
_IDLE_SECONDS: Final = 1.0
_JOIN_SECONDS: Final = 5.0
_log = logging.getLogger("threadkeep")


class IndexKeeper:
    """The background thread of one engine, and what it is to do; thread-safe.

    A thread begins when there is something to do and ends when there was nothing for a while.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._due: dict[str, None] = {}
        self._thread: threading.Thread | None = None
        self._closing = False

    def keep(self, user: str) -> int:
        """Keep all of a user's index that is not kept yet, now; returns how many items.

        It reads for itself, so that no question has to wait for it.
        """
        return _keep(
            self._engine,
            SyncedIndex(
                self._engine,
                user,
                max_documents=segment_plan.LEVELS[-1],
                max_read=segment_plan.LEVELS[-1],
                trims=False,
            ),
        )

    def note(self, user: str) -> None:
        """Keep a user's index soon; nothing is done here."""
        if self._pid != os.getpid():
            self._reset()  # no thread survives a fork
        with self._lock:
            self._due[user] = None
            if self._thread is None and not self._closing:
                self._start()
        self._wake.set()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="threadkeep index", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no thread may run here: it is done at the end
            self._thread = None

    def drain(self) -> None:
        """Finish what is due, unless that takes long; what is left, others do."""
        if self._pid != os.getpid():
            return
        with self._lock:
            self._closing = True
            thread = self._thread
        self._wake.set()
        if thread is None:
            self._keep_due()
        elif thread is not threading.current_thread():
            thread.join(_JOIN_SECONDS)

    def _keep_due(self) -> None:
        """Do in this thread what is due, unless that takes long."""
        deadline = time.monotonic() + _JOIN_SECONDS
        while self._due and time.monotonic() < deadline:
            user_id = next(iter(self._due))
            del self._due[user_id]
            self._keep_quietly(user_id)

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is due. Returns True if that happened in time."""
        thread = self._thread
        if thread is None:
            return True
        with self._lock:
            self._closing = True
        self._wake.set()
        thread.join(timeout)
        self._closing = False
        return not thread.is_alive()

    def _run(self) -> None:
        while True:
            self._wake.wait(_IDLE_SECONDS)
            with self._lock:
                self._wake.clear()
                user_id = next(iter(self._due), None)
                if user_id is None:
                    self._thread = None
                    return
                del self._due[user_id]
                if self._due or self._closing:
                    self._wake.set()
            self._keep_quietly(user_id)

    def _keep_quietly(self, user: str) -> None:
        try:
            self.keep(user)
        except Exception as error:  # the next one may do better
            if not self._engine.closed:
                _log.warning("keeping an index failed (%s)", type(error).__name__)


def _keep(engine: Engine, synced: SyncedIndex) -> int:
    embedder = engine.component(Vectors).embedder
    embedder_name = None if embedder is None else embedder.name
    vector_builder = (
        None if embedder_name is None else VectorBuilder(engine, synced.user, embedder_name)
    )
    item_counts: list[int] = []
    for _ in range(_TRIES):
        with suppress(Outdated, BadPiece):
            synced.sync(facts=False)
            _build_all(engine, synced, item_counts, vector_builder)
            if vector_builder is not None:
                _complete(synced, vector_builder)
            break
        synced.reload()
    if engine.write_counts is not None:
        engine.write_counts.report(synced.user, synced.saved_count)
    item_total = sum(item_counts)
    if item_total and (vector_builder is not None or item_total > build.MAX_LOADED_TAIL):
        engine.component(Recall).forget_user(synced.user)  # the next question loads what is kept
    return item_total


def _build_all(
    engine: Engine, synced: SyncedIndex, counts: list[int], vectors: VectorBuilder | None
) -> None:
    def build_full_chunk() -> None:
        if synced.unsaved_count >= segment_plan.LEVELS[-1]:
            build.build(engine, synced, counts.append, vectors)

    synced.read_rest(build_full_chunk)
    build.build(engine, synced, counts.append, vectors)


def _complete(synced: SyncedIndex, vectors: VectorBuilder) -> None:
    """Make the vectors that are missing; if the embedder fails, words decide till next time."""
    synced.sync(facts=False)  # it may have been let go of
    try:
        vectors.complete(synced)
    except EmbedderFault as fault:
        log_fault(fault)


def keep_users(engine: Engine) -> int:
    """Keep the indexes of all users of the namespace; returns how many items."""
    keeper = engine.component(IndexKeeper)
    return sum(keeper.keep(user) for user in user_index.all_users(engine))
