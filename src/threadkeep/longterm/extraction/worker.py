"""One batch of one session: taken by a lease, read by the model, committed with its watermark."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

from threadkeep.core import names
from threadkeep.errors import BackendError
from threadkeep.longterm import summaries
from threadkeep.longterm.chat_model import ModelFailed
from threadkeep.longterm.extraction import batch, prompt
from threadkeep.longterm.extraction.complete import Cost, ask
from threadkeep.longterm.extraction.evidence import Reading
from threadkeep.longterm.extraction.grounding import without_commands
from threadkeep.longterm.extraction.lease import (
    Gone,
    Task,
    Worker,
    mine,
    release,
    take,
)
from threadkeep.longterm.extraction.reconcile import Learned, merge
from threadkeep.longterm.extraction.reply import Answered
from threadkeep.longterm.extraction.report import Report
from threadkeep.longterm.extraction.watermark import (
    BUDGET,
    DEAD,
    LONGEST_WAIT,
    Watermark,
    spent,
)
from threadkeep.longterm.forget import without
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.types import Query
from threadkeep.types.knowledge import Summary
from threadkeep.types.versions import generation_of

_FIRST_WAIT: Final = 5.0
_TRIES: Final = 64


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


def _read(worker: Worker, task: Task, cost: Cost) -> Report:
    """Ask the model, and commit what code makes of its answer.

    Raises:
        ModelFailed: it did not answer.
        Gone: nothing was written.
    """
    if not task.batch.lines:
        _settle(worker, task, _reading(worker, task, Answered(), [], []), cost)
        return Report(batches=1)
    held = mine(task)
    kept = _summary(worker, task)
    sum_up = worker.learning.summaries and not _covered(kept, task)
    asked, facts, instructions = prompt.messages(
        held, task.batch, kept.summary, sum_up=sum_up, user=task.user
    )
    answered = ask(worker.model, asked, task.batch, sum_up=sum_up, cost=cost)
    if not _unchanged(worker, task):
        release(task)
        raise Gone
    mine(task)
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
        held = mine(task)
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
            held = mine(task)
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


def _count(worker: Worker, held: UnitOfWork, cost: Cost) -> None:
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

    def step(held: UnitOfWork) -> None:
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
    if (
        seen.info is None
        or seen.info.user != task.user
        or generation_of(seen.version) != task.mark.life
    ):
        return False
    found = batch.of_page(worker.engine, seen.pages[0], len(keys) + 1, task.user)
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
    old = kept.summary
    whole = old is None or old.last_seq >= task.mark.seq  # else a batch between was not summed up
    span = summaries.Span(task.batch.first, task.batch.messages) if whole else None
    return summaries.write(
        worker.engine, kept, said, life=task.mark.life, user=task.user, span=span
    )


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
