"""Leases: acquire a batch of a session exclusively, verify the lease, release it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Final

from threadkeep.core import names
from threadkeep.core.engine import Engine
from threadkeep.longterm.chat_model import ChatModel
from threadkeep.longterm.extraction import batch as batches
from threadkeep.longterm.extraction import prompt
from threadkeep.longterm.extraction.batch import Batch
from threadkeep.longterm.extraction.open_turn import without_open_turn
from threadkeep.longterm.extraction.report import Report
from threadkeep.longterm.extraction.watermark import (
    BUDGET,
    DEAD,
    Watermark,
    resolve,
    spent_today,
    watermark_of,
)
from threadkeep.longterm.settings import ExtractionSettings
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.longterm.store.user_stream import UserStream
from threadkeep.sessions import user_index
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import Page, Query, SessionInfo
from threadkeep.types.versions import generation_of

_MARGIN: Final = 60.0
"""Seconds that a lease is longer than two calls may take."""

_TRIES: Final = 64


class LeaseLost(Exception):
    """The lease is lost, or the session or the user stream was deleted."""


@dataclass(frozen=True, slots=True)
class ExtractionWorker:
    """Engine, settings and model of one extraction worker."""

    engine: Engine
    settings: ExtractionSettings
    model: ChatModel

    @property
    def lease_seconds(self) -> float:
        """Length of a lease in seconds: two model calls, or three, and a margin to write."""
        return (3 if self.settings.verify else 2) * self.settings.timeout + _MARGIN

    @property
    def extractor_name(self) -> str:
        """The model and the version of the prompt."""
        return f"{self.settings.model or 'callable'}/{prompt.VERSION}"


@dataclass(frozen=True, slots=True)
class ExtractionTask:
    """A batch that this worker has leased.

    Attributes:
        session_stream: of the session.
        user_stream: where what is learned goes.
        generation: of the user stream, when leased.
        key: of the watermark.
        watermark: as it was written when it was taken.
        batch: what is read.
        snapshot: the session.
    """

    session_stream: SessionStream
    user_stream: UserStream
    generation: int
    key: str
    watermark: Watermark
    batch: Batch
    snapshot: Snapshot

    @property
    def user(self) -> str | None:
        """The owner of the session."""
        return None if self.snapshot.info is None else self.snapshot.info.user


def acquire(worker: ExtractionWorker, session: str, *, retry: bool) -> ExtractionTask | Report:
    """Lease the next batch of a session, or report why there is none."""
    engine = worker.engine
    session_stream = SessionStream(engine, SessionInfo(names.check(session, "session id")))
    for _ in range(_TRIES):
        snapshot = session_stream.read()
        if snapshot.info is None or user_index.is_sub_agent(snapshot.info):
            return Report()
        user_id = snapshot.info.user
        remaining_ttl = _remaining_ttl(session_stream) if user_id is None else None
        user_stream = UserStream(engine, user=user_id, session=session, ttl=remaining_ttl)
        unit, generation = user_stream.load(), generation_of(snapshot.version)
        if unit.is_forgotten:
            return Report()
        stream_key = session_stream.stream_name
        watermark = resolve(engine, stream_key, unit.watermarks.get(stream_key), generation)
        snapshot = session_stream.read(_next_items(stream_key, watermark))
        if snapshot.info is None or generation_of(snapshot.version) != generation:
            continue
        batch = _next_batch(worker, snapshot.pages[0], watermark, user_id)
        if batch is None:
            return Report()
        if refusal := _refusal(worker, unit, watermark, batch, retry=retry):
            return refusal
        task = _write_lease(worker, session_stream, user_stream, unit, watermark, batch, snapshot)
        if task is not None:
            return task
    return Report(sessions=1, busy=1)


def _next_batch(
    worker: ExtractionWorker, page: Page, watermark: Watermark, user: str | None
) -> Batch | None:
    """What to read of the items, without a turn that is still open; `None` = nothing."""
    engine, max_turns = worker.engine, worker.settings.batch
    closed_page = without_open_turn(page, engine.now())
    if watermark.again:
        return batches.edited_batch(engine, closed_page, watermark, max_turns, user)
    return batches.from_page(engine, closed_page, max_turns, user)


def _next_items(key: str, watermark: Watermark) -> Query:
    """What asks for the items to read: first those that were edited, then what is new."""
    edited_keys = [names.key(item_id) for item_id in watermark.again[: batches.MAX_AGAIN]]
    return (
        Query(key, "item", ids=edited_keys)
        if edited_keys
        else batches.items_query(key, watermark.seq)
    )


def _refusal(
    worker: ExtractionWorker, unit: UnitOfWork, watermark: Watermark, batch: Batch, *, retry: bool
) -> Report | None:
    now, settings = worker.engine.now(), worker.settings
    if watermark.is_leased(now, worker.lease_seconds):
        return Report(sessions=1, busy=1)
    if watermark.state == DEAD and not retry:
        return Report(sessions=1, dead=1)
    if watermark.is_waiting(now) and not retry:
        return Report(sessions=1, waiting=1)
    spending_today = spent_today(unit, now)
    if batch.lines and (
        spending_today.calls >= settings.calls_per_day
        or spending_today.tokens >= settings.tokens_per_day
    ):
        return Report(sessions=1, exhausted=1)
    return None


def _write_lease(
    worker: ExtractionWorker,
    session_stream: SessionStream,
    user_stream: UserStream,
    unit: UnitOfWork,
    watermark: Watermark,
    batch: Batch,
    snapshot: Snapshot,
) -> ExtractionTask | None:
    """Write the lease, and the call that is about to be made; `None` if another was faster."""
    now = worker.engine.now()
    leased_watermark = replace(
        watermark, lease=now + worker.lease_seconds, worker=os.urandom(8).hex()
    )
    unit.put_watermark(session_stream.stream_name, leased_watermark.body())
    if batch.lines:
        spending_today = spent_today(unit, now)
        unit.put_watermark(BUDGET, replace(spending_today, calls=spending_today.calls + 1).body())
    if not user_stream.commit(unit):
        return None
    current_unit = user_stream.load()
    if (
        watermark_of(current_unit, session_stream.stream_name, leased_watermark.life).worker
        != leased_watermark.worker
    ):
        return None
    return ExtractionTask(
        session_stream,
        user_stream,
        generation_of(current_unit.version),
        session_stream.stream_name,
        leased_watermark,
        batch,
        snapshot,
    )


def load_leased(task: ExtractionTask) -> UnitOfWork:
    """Load the user stream and verify that this worker still holds the lease.

    Raises:
        LeaseLost: it does not.
    """
    unit_of_work = task.user_stream.load()
    if (
        unit_of_work.is_forgotten
        or not unit_of_work.version
        or generation_of(unit_of_work.version) != task.generation
    ):
        raise LeaseLost
    if watermark_of(unit_of_work, task.key, task.watermark.life).worker != task.watermark.worker:
        raise LeaseLost
    return unit_of_work


def release(task: ExtractionTask) -> None:
    """Release the lease: the session changed meanwhile, and must be read again."""
    unit_of_work = load_leased(task)
    current_watermark = watermark_of(unit_of_work, task.key, task.watermark.life)
    unit_of_work.put_watermark(task.key, replace(current_watermark, lease=0.0, worker="").body())
    task.user_stream.commit(unit_of_work)


def _remaining_ttl(session_stream: SessionStream) -> float | None:
    """Estimated seconds until the session expires; reading it does not extend its life."""
    ttl = session_stream.engine.settings.ttl
    if ttl is None:
        return None
    newest_records = (
        session_stream.read(Query(session_stream.stream_name, "item", limit=1, newest=True))
        .pages[0]
        .records
    )
    written_at = max([record.at for record in newest_records], default=session_stream.engine.now())
    return max(1.0, written_at + ttl - session_stream.engine.now())
