"""One batch of one session: taken by a lease, read by the model, committed with its watermark."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, replace
from typing import Final

from threadkeep import names
from threadkeep.companions import LIFE
from threadkeep.engine import Engine
from threadkeep.errors import BackendError
from threadkeep.learned import Summary
from threadkeep.longterm import summaries
from threadkeep.longterm.extraction import batch as batches
from threadkeep.longterm.extraction import prompt
from threadkeep.longterm.extraction.answer import Answered
from threadkeep.longterm.extraction.asking import Cost, ask
from threadkeep.longterm.extraction.batch import Batch
from threadkeep.longterm.extraction.grounding import without_commands
from threadkeep.longterm.extraction.merging import Learned, Reading, merge
from threadkeep.longterm.extraction.report import Report
from threadkeep.longterm.extraction.watermark import (
    BUDGET,
    DEAD,
    LONGEST_WAIT,
    Watermark,
    mark_of,
    spent,
)
from threadkeep.longterm.forgetting import without
from threadkeep.longterm.held import Held
from threadkeep.longterm.homes import Home
from threadkeep.longterm.llm import ChatModel, ModelFailed
from threadkeep.longterm.options import Learning
from threadkeep.ownership import Door, Seen
from threadkeep.types import Query, SessionInfo

_MARGIN: Final = 60.0
"""Seconds that a lease is longer than two calls may take."""

_FIRST_WAIT: Final = 5.0
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

    door: Door
    home: Home
    life: int
    key: str
    mark: Watermark
    batch: Batch
    seen: Seen

    @property
    def user(self) -> str | None:
        """Whose session it is."""
        return None if self.seen.info is None else self.seen.info.user


def work(worker: Worker, session: str, *, retry: bool = False) -> tuple[Report, bool]:
    """Read the next batch of a session; what came of it, and whether there is more to read.

    Args:
        worker: who reads.
        session: its id.
        retry: also what failed too often, or a moment ago.
    """
    task = take(worker, session, retry=retry)
    if isinstance(task, Report):
        return task, False
    cost = Cost()
    try:
        report = _read(worker, task, cost)
    except ModelFailed as error:
        report = _fail(worker, task, error, cost)
    except Gone:
        report = Report()
    except BackendError:
        raise  # the store's; the lease ends by itself
    except Exception as error:  # a redactor's, or ours: it is not to be paid for without end
        report = _fail(worker, task, ModelFailed(type(error).__name__), cost, keep=False)
    report += Report(
        sessions=1,
        calls=cost.calls,
        prompt_tokens=cost.prompt,
        completion_tokens=cost.completion,
    )
    return report, task.batch.more and not report.failures


def take(worker: Worker, session: str, *, retry: bool) -> Task | Report:
    """Lease the next batch of a session, or say why there is none."""
    engine = worker.engine
    door = Door(engine, SessionInfo(names.check(session, "session id")))
    for _ in range(_TRIES):
        seen = door.look()
        if seen.info is None or is_sub_agents(seen.info):
            return Report()
        user = seen.info.user
        left = _left(door) if user is None else None
        home = Home(engine, user=user, session=session, life=left)
        held, life = home.look(), seen.version // LIFE
        if held.is_forgotten:
            return Report()
        mark = mark_of(held, door.stream, life)
        seen = door.look(batches.query(door.stream, mark.seq))
        if seen.info is None or seen.version // LIFE != life:
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
    worker: Worker, held: Held, mark: Watermark, batch: Batch, *, retry: bool
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
    door: Door,
    home: Home,
    held: Held,
    mark: Watermark,
    batch: Batch,
    seen: Seen,
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
    return Task(door, home, fresh.version // LIFE, door.stream, mine, batch, seen)


def _read(worker: Worker, task: Task, cost: Cost) -> Report:
    """Ask the model, and commit what code makes of its answer.

    Raises:
        ModelFailed: it did not answer.
        Gone: nothing was written.
    """
    if not task.batch.lines:
        _settle(worker, task, _reading(worker, task, Answered(), [], []), cost)
        return Report(batches=1)
    held = _mine(task)
    kept = _summary(worker, task)
    sum_up = worker.learning.summaries and not _covered(kept, task)
    asked, facts, instructions = prompt.messages(
        held, task.batch, kept.summary, sum_up=sum_up, user=task.user
    )
    answered = ask(worker.model, asked, task.batch, sum_up=sum_up, cost=cost)
    if not _unchanged(worker, task):
        _release(task)
        raise Gone
    _mine(task)
    written = _sum_up(worker, task, kept, answered) if sum_up else 0
    reading = _reading(
        worker, task, answered, [fact.id for fact in facts], [one.id for one in instructions]
    )
    try:
        learned = _settle(worker, task, reading, cost)
    except Gone:
        _take_back(worker, task, written)
        raise
    if not _unchanged(worker, task):  # since it was looked at a moment ago
        _take_back(worker, task, written)
        _retract(task)
    return Report(
        batches=1,
        facts=learned.facts,
        instructions=learned.instructions,
        summaries=int(bool(written)),
    )


def _reading(
    worker: Worker, task: Task, answered: Answered, facts: list[str], instructions: list[str]
) -> Reading:
    ours = worker.engine.settings.namespace
    theirs = worker.engine.longterm.settings.namespace
    return Reading(
        worker.engine,
        task.door.id,
        None if ours == theirs else ours,
        task.user,
        task.batch,
        answered,
        facts,
        instructions,
        worker.extractor,
    )


def _settle(worker: Worker, task: Task, reading: Reading, cost: Cost) -> Learned:
    """Facts, instructions and the watermark in one commit; by code again where it met another.

    Raises:
        Gone: the home was forgotten, or another worker has the session by now.
    """
    done = Watermark(life=task.mark.life, seq=task.batch.seq)
    for _ in range(_TRIES):
        held = _mine(task)
        learned = merge(held, reading)
        held.put_watermark(task.key, done.body())
        _count(worker, held, cost)
        if task.home.commit(held):
            return learned
    raise ModelFailed("the user's memory was changed by others all the time")


def _fail(
    worker: Worker, task: Task, error: ModelFailed, cost: Cost, *, keep: bool = True
) -> Report:
    """Note that a batch was tried in vain; what the user asked to be kept is kept all the same."""
    reason, now = str(error), worker.engine.now()
    tries = task.mark.tries + 1
    dead = tries >= worker.learning.tries
    mark = Watermark(
        life=task.mark.life,
        seq=task.mark.seq,
        tries=tries,
        next=now + _wait(tries, error.retry_after),
        state=DEAD if dead else "ok",
        error=reason,
    )
    learned = Learned()
    reading = _reading(worker, task, Answered(), [], [])
    try:
        for _ in range(_TRIES):
            held = _mine(task)
            learned = merge(held, reading) if keep else learned
            held.put_watermark(task.key, mark.body())
            _count(worker, held, cost)
            if task.home.commit(held):
                break
    except Gone:
        return Report()
    return Report(
        failures=1,
        dead=int(dead),
        errors=(reason,),
        facts=learned.facts,
        instructions=learned.instructions,
    )


def _wait(tries: int, retry_after: float | None) -> float:
    """Seconds to the next try: what was asked for, or twice as long each time; and some chance."""
    chance = random.random()  # noqa: S311 (not for secrets)
    if retry_after is not None:
        return min(LONGEST_WAIT, retry_after * (1 + chance / 10))
    return min(LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (tries - 1) * (0.5 + chance / 2))


def _mine(task: Task) -> Held:
    """What the home holds, as long as the batch is this worker's.

    Raises:
        Gone: it is not.
    """
    held = task.home.look()
    if held.is_forgotten or not held.version or held.version // LIFE != task.life:
        raise Gone
    if mark_of(held, task.key, task.mark.life).worker != task.mark.worker:
        raise Gone
    return held


def _release(task: Task) -> None:
    """Give the batch back: what it is of has changed meanwhile, and has to be read again."""
    held = _mine(task)
    held.put_watermark(task.key, replace(task.mark, lease=0.0, worker="").body())
    task.home.commit(held)


def _count(worker: Worker, held: Held, cost: Cost) -> None:
    before = spent(held, worker.engine.now())
    more = max(0, cost.calls - 1)  # the first one was counted with the lease
    total = before.tokens + cost.prompt + cost.completion
    if cost.calls:
        after = replace(before, calls=before.calls + more, tokens=total)
        held.put_watermark(BUDGET, after.body())


def _retract(task: Task) -> None:
    """Unlearn what was only said in items that were taken back while it was being written."""
    seen = task.door.look(Query(task.door.stream, "item", ids=_keys(task)))
    if seen.info is None:
        return
    left = {record.id for record in seen.pages[0].records}
    gone = {line.item.id for line in task.batch.lines if names.key(line.item.id) not in left}
    ours, theirs = task.door.engine.settings.namespace, task.home.engine.settings.namespace
    said = {(None if ours == theirs else ours, task.door.id, id) for id in gone}

    def step(held: Held) -> None:
        for fact in list(held.facts.values()):
            without(held, fact, said, task.home.engine.now())
        for instruction in list(held.instructions.values()):
            without(held, instruction, said, task.home.engine.now())

    task.home.settle(step)


def _keys(task: Task) -> list[str]:
    return [names.key(line.item.id) for line in task.batch.lines]


def _unchanged(worker: Worker, task: Task) -> bool:
    """Whether what was read still stands in the session."""
    keys = _keys(task)
    seen = task.door.look(Query(task.door.stream, "item", ids=keys))
    if seen.info is None or seen.info.user != task.user or seen.version // LIFE != task.mark.life:
        return False
    found = batches.of_page(worker.engine, seen.pages[0], len(keys) + 1, task.user)
    said = () if found is None else found.lines
    return [(one.item.id, one.text) for one in said] == [
        (one.item.id, one.text) for one in task.batch.lines
    ]


def _summary(worker: Worker, task: Task) -> summaries.Kept:
    """The summary so far; one of another owner's session of that name is none."""
    kept = summaries.look(worker.engine, task.door.id)
    if kept.summary is not None and not summaries.belongs(kept, task.seen, None):
        return kept._replace(summary=None)
    return kept


def _covered(kept: summaries.Kept, task: Task) -> bool:
    """Whether a try that was cut short has summed the batch up already."""
    same = kept.summary is not None and kept.life == task.mark.life
    return same and kept.summary is not None and kept.summary.last_seq >= task.batch.seq


def _sum_up(worker: Worker, task: Task, kept: summaries.Kept, answered: Answered) -> int:
    """Write the summary, if there is a new one; its version."""
    text = shortened(without_commands(answered.summary))
    if not text:
        return 0
    said = Summary(task.door.id, text, answered.topics, task.batch.seq)
    return summaries.write(worker.engine, kept, said, life=task.mark.life, user=task.user)


def _take_back(worker: Worker, task: Task, version: int) -> None:
    if version:
        summaries.take_back(worker.engine, task.door.id, version)


def shortened(text: str, longest: int = prompt.SUMMARY_LONGEST) -> str:
    """A text of at most so many characters, cut behind a sentence where it can be."""
    text = text.strip()
    if len(text) <= longest:
        return text
    cut = max(text.rfind(end, 0, longest) for end in (". ", "! ", "? ", "\n"))
    return text[: cut + 1].strip() if cut > longest // 2 else text[:longest].rstrip()


def _left(door: Door) -> float | None:
    """Seconds that a session has still to live, as far as is known: reading it prolongs nothing."""
    ttl = door.engine.settings.ttl
    if ttl is None:
        return None
    last = door.look(Query(door.stream, "item", limit=1, newest=True)).pages[0].records
    written = max([record.at for record in last], default=door.engine.now())
    return max(1.0, written + ttl - door.engine.now())
