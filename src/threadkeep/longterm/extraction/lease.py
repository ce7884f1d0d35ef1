"""Taking a batch of a session, so that no other worker does, and keeping sight of it."""

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
from threadkeep.longterm.extraction.report import Report
from threadkeep.longterm.extraction.watermark import BUDGET, DEAD, Watermark, mark_of, spent
from threadkeep.longterm.settings import Learning
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.longterm.store.user_stream import UserStream
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import Query, SessionInfo
from threadkeep.types.versions import generation_of

_MARGIN: Final = 60.0
"""Seconds that a lease is longer than two calls may take."""

_TRIES: Final = 64


class Gone(Exception):
    """What was to be learned from, or to be learned into, is not there any more."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Who reads: with which model, and within which limits."""

    engine: Engine
    learning: Learning
    model: ChatModel

    @property
    def longest(self) -> float:
        """How long a lease is, in seconds: an answer and a second try, and some time to write."""
        return 2 * self.learning.timeout + _MARGIN

    @property
    def extractor(self) -> str:
        """The model and the version of the prompt."""
        return f"{self.learning.model or 'callable'}/{prompt.VERSION}"


@dataclass(frozen=True, slots=True)
class Task:
    """A batch that this worker has.

    Attributes:
        door: of the session.
        home: where what is learned goes.
        life: of the home, as it was taken.
        key: of the watermark.
        mark: as it was written when it was taken.
        batch: what is read.
        seen: the session.
    """

    door: SessionStream
    home: UserStream
    life: int
    key: str
    mark: Watermark
    batch: Batch
    seen: Snapshot

    @property
    def user(self) -> str | None:
        """Whose session it is."""
        return None if self.seen.info is None else self.seen.info.user


def take(worker: Worker, session: str, *, retry: bool) -> Task | Report:
    """Lease the next batch of a session, or say why there is none."""
    engine = worker.engine
    door = SessionStream(engine, SessionInfo(names.check(session, "session id")))
    for _ in range(_TRIES):
        seen = door.look()
        if seen.info is None or is_sub_agents(seen.info):
            return Report()
        user = seen.info.user
        left = _left(door) if user is None else None
        home = UserStream(engine, user=user, session=session, life=left)
        held, life = home.look(), generation_of(seen.version)
        if held.is_forgotten:
            return Report()
        mark = mark_of(held, door.stream, life)
        seen = door.look(batches.query(door.stream, mark.seq))
        if seen.info is None or generation_of(seen.version) != life:
            continue
        batch = batches.of_page(engine, seen.pages[0], worker.learning.batch, user)
        if batch is None:
            return Report()
        if refused := _refused(worker, held, mark, batch, retry=retry):
            return refused
        if (task := _leased(worker, door, home, held, mark, batch, seen)) is not None:
            return task
    return Report(sessions=1, busy=1)


def is_sub_agents(info: SessionInfo) -> bool:
    """Whether a session is a sub-agent's, where an agent speaks as the user."""
    return bool(info.agent) and info.id.endswith(f"/{info.agent}")


def _refused(
    worker: Worker, held: UnitOfWork, mark: Watermark, batch: Batch, *, retry: bool
) -> Report | None:
    now, learning = worker.engine.now(), worker.learning
    if mark.leased(now, worker.longest):
        return Report(sessions=1, busy=1)
    if mark.state == DEAD and not retry:
        return Report(sessions=1, dead=1)
    if mark.waits(now) and not retry:
        return Report(sessions=1, waiting=1)
    cost = spent(held, now)
    if batch.lines and (
        cost.calls >= learning.calls_per_day or cost.tokens >= learning.tokens_per_day
    ):
        return Report(sessions=1, exhausted=1)
    return None


def _leased(
    worker: Worker,
    door: SessionStream,
    home: UserStream,
    held: UnitOfWork,
    mark: Watermark,
    batch: Batch,
    seen: Snapshot,
) -> Task | None:
    """Write the lease, and the call that is about to be made; `None` if another was faster."""
    now = worker.engine.now()
    mine = replace(mark, lease=now + worker.longest, worker=os.urandom(8).hex())
    held.put_watermark(door.stream, mine.body())
    if batch.lines:
        cost = spent(held, now)
        held.put_watermark(BUDGET, replace(cost, calls=cost.calls + 1).body())
    if not home.commit(held):
        return None
    fresh = home.look()
    if mark_of(fresh, door.stream, mine.life).worker != mine.worker:
        return None
    return Task(door, home, generation_of(fresh.version), door.stream, mine, batch, seen)


def mine(task: Task) -> UnitOfWork:
    """What the home holds, as long as the batch is this worker's.

    Raises:
        Gone: it is not.
    """
    held = task.home.look()
    if held.is_forgotten or not held.version or generation_of(held.version) != task.life:
        raise Gone
    if mark_of(held, task.key, task.mark.life).worker != task.mark.worker:
        raise Gone
    return held


def release(task: Task) -> None:
    """Give the batch back: what it is of has changed meanwhile, and has to be read again."""
    held = mine(task)
    held.put_watermark(task.key, replace(task.mark, lease=0.0, worker="").body())
    task.home.commit(held)


def _left(door: SessionStream) -> float | None:
    """Seconds that a session has still to live, as far as is known: reading it prolongs nothing."""
    ttl = door.engine.settings.ttl
    if ttl is None:
        return None
    last = door.look(Query(door.stream, "item", limit=1, newest=True)).pages[0].records
    written = max([record.at for record in last], default=door.engine.now())
    return max(1.0, written + ttl - door.engine.now())
