"""One batch of one session: taken by a lease, read by the model, committed with its watermark."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

from threadkeep.core import names
from threadkeep.errors import BackendError
from threadkeep.longterm import follow, summaries
from threadkeep.longterm.chat_model import ModelError
from threadkeep.longterm.extraction import batch, prompt
from threadkeep.longterm.extraction.claim_check import strip_commands
from threadkeep.longterm.extraction.complete import TokenCost, complete
from threadkeep.longterm.extraction.evidence import Evidence
from threadkeep.longterm.extraction.lease import (
    ExtractionTask,
    ExtractionWorker,
    LeaseLost,
    acquire,
    load_leased,
    release,
)
from threadkeep.longterm.extraction.reconcile import ExtractionCounts, reconcile
from threadkeep.longterm.extraction.reply import ParsedReply
from threadkeep.longterm.extraction.report import Report
from threadkeep.longterm.extraction.verify import verify
from threadkeep.longterm.extraction.watermark import (
    BUDGET,
    DEAD,
    MAX_BACKOFF,
    Watermark,
    spent_today,
    watermark_of,
)
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.types import Query
from threadkeep.types.knowledge import Summary
from threadkeep.types.versions import generation_of

_FIRST_BACKOFF: Final = 5.0
_TRIES: Final = 64


def extract_batch(
    worker: ExtractionWorker, session: str, *, retry: bool = False
) -> tuple[Report, bool]:
    """Extract from the next batch of a session. Returns a report, and whether there is more.

    Args:
        worker: who reads.
        session: its id.
        retry: also what failed too often, or a moment ago.
    """
    task = acquire(worker, session, retry=retry)
    if isinstance(task, Report):
        return task, False
    cost = TokenCost()
    try:
        report = _extract(worker, task, cost)
    except ModelError as error:
        report = _record_failure(worker, task, error, cost)
    except LeaseLost:
        report = Report()
    except BackendError:
        raise  # the store's; the lease ends by itself
    except Exception as error:  # a redactor's, or ours: it is not to be paid for without end
        report = _record_failure(
            worker, task, ModelError(type(error).__name__), cost, keep_requests=False
        )
    report += Report(
        sessions=1,
        calls=cost.calls,
        prompt_tokens=cost.prompt_tokens,
        completion_tokens=cost.completion_tokens,
    )
    return report, task.batch.more and not report.failures


def _extract(worker: ExtractionWorker, task: ExtractionTask, cost: TokenCost) -> Report:
    """Ask the model, and commit what code makes of its answer.

    Raises:
        ModelFailed: it did not answer.
        LeaseLost: nothing was written.
    """
    if not task.batch.lines:
        _commit_evidence(worker, task, _evidence(worker, task, ParsedReply(), [], []), cost)
        return Report(batches=1)
    unit = load_leased(task)
    previous = _previous_summary(worker, task)
    sum_up = worker.settings.summaries and not (task.batch.again or _is_summarized(previous, task))
    messages, facts, instructions = prompt.build_messages(
        unit, task.batch, previous.summary, sum_up=sum_up, user=task.user
    )
    reply = complete(worker.model, messages, task.batch, sum_up=sum_up, cost=cost)
    verified = (
        verify(worker.model, reply, task.batch, task.user, cost) if worker.settings.verify else None
    )
    if not _is_unchanged(worker, task):
        release(task)
        raise LeaseLost
    load_leased(task)
    summary_version = _write_summary(worker, task, previous, reply) if sum_up else 0
    evidence = _evidence(
        worker,
        task,
        reply,
        [fact.id for fact in facts],
        [instruction.id for instruction in instructions],
    )
    evidence = replace(evidence, verified=verified)
    try:
        counts = _commit_evidence(worker, task, evidence, cost)
    except LeaseLost:
        _undo_summary(worker, task, summary_version)
        raise
    if not _is_unchanged(worker, task):  # since it was looked at a moment ago
        _undo_summary(worker, task, summary_version)
        _retract(task)
    return Report(
        batches=1,
        facts=counts.facts,
        instructions=counts.instructions,
        summaries=int(bool(summary_version)),
        dropped=counts.dropped,
        quarantined=counts.quarantined,
    )


def _evidence(
    worker: ExtractionWorker,
    task: ExtractionTask,
    reply: ParsedReply,
    facts: list[str],
    instructions: list[str],
) -> Evidence:
    session_namespace = worker.engine.settings.namespace
    longterm_namespace = worker.engine.longterm.settings.namespace
    return Evidence(
        worker.engine,
        task.session_stream.id,
        None if session_namespace == longterm_namespace else session_namespace,
        task.user,
        task.batch,
        reply,
        facts,
        instructions,
        worker.extractor_name,
    )


def _commit_evidence(
    worker: ExtractionWorker, task: ExtractionTask, evidence: Evidence, cost: TokenCost
) -> ExtractionCounts:
    """Facts, instructions and the watermark in one commit; by code again where it met another.

    Raises:
        LeaseLost: the user was forgotten, or another worker holds the lease.
    """
    for _ in range(_TRIES):
        unit = load_leased(task)
        counts = reconcile(unit, evidence)
        unit.put_watermark(task.key, _read_up_to(unit, task).body())
        _charge_budget(worker, unit, cost)
        if task.user_stream.commit(unit):
            return counts
    raise ModelError("the user's memory was changed by others all the time")


def _read_up_to(unit: UnitOfWork, task: ExtractionTask) -> Watermark:
    """The watermark behind a batch; what was edited while it was read stays to be read again."""
    done, current = (
        frozenset(task.batch.again),
        watermark_of(unit, task.key, task.watermark.life),
    )
    return Watermark(
        life=task.watermark.life,
        seq=task.batch.seq,
        item=task.batch.last,
        digest=task.batch.digest,
        again=tuple(id for id in current.again if id not in done),
    )


def _record_failure(
    worker: ExtractionWorker,
    task: ExtractionTask,
    error: ModelError,
    cost: TokenCost,
    *,
    keep_requests: bool = True,
) -> Report:
    """Note that a batch was tried in vain; what the user asked to be kept is kept all the same."""
    reason, now = str(error), worker.engine.now()
    tries = task.watermark.tries + 1
    dead = tries >= worker.settings.tries
    watermark = Watermark(
        life=task.watermark.life,
        seq=task.watermark.seq,
        tries=tries,
        next=now + _backoff(tries, error.retry_after),
        state=DEAD if dead else "ok",
        error=reason,
        item=task.watermark.item,
        digest=task.watermark.digest,
        again=task.watermark.again,
    )
    counts = ExtractionCounts()
    evidence = _evidence(worker, task, ParsedReply(), [], [])
    try:
        for _ in range(_TRIES):
            unit = load_leased(task)
            counts = reconcile(unit, evidence) if keep_requests else counts
            current = watermark_of(unit, task.key, task.watermark.life)
            unit.put_watermark(task.key, replace(watermark, again=current.again).body())
            _charge_budget(worker, unit, cost)
            if task.user_stream.commit(unit):
                break
    except LeaseLost:
        return Report()
    return Report(
        failures=1,
        dead=int(dead),
        errors=(reason,),
        facts=counts.facts,
        instructions=counts.instructions,
        dropped=counts.dropped,
        quarantined=counts.quarantined,
    )


def _backoff(tries: int, retry_after: float | None) -> float:
    """Seconds to the next try: what was asked for, or twice as long each time; and some chance."""
    jitter = random.random()  # noqa: S311 (not for secrets)
    if retry_after is not None:
        return min(MAX_BACKOFF, retry_after * (1 + jitter / 10))
    return min(MAX_BACKOFF, _FIRST_BACKOFF * 2.0 ** (tries - 1) * (0.5 + jitter / 2))


def _charge_budget(worker: ExtractionWorker, unit: UnitOfWork, cost: TokenCost) -> None:
    budget = spent_today(unit, worker.engine.now())
    extra_calls = max(0, cost.calls - 1)  # the first one was counted with the lease
    total = budget.tokens + cost.prompt_tokens + cost.completion_tokens
    if cost.calls:
        updated = replace(budget, calls=budget.calls + extra_calls, tokens=total)
        unit.put_watermark(BUDGET, updated.body())


def _retract(task: ExtractionTask) -> None:
    """Take back what came of items that were edited or removed while it was being written."""
    follow.after_edit(task.session_stream, [line.item.id for line in task.batch.lines])


def _item_keys(task: ExtractionTask) -> list[str]:
    return [names.key(line.item.id) for line in task.batch.lines]


def _is_unchanged(worker: ExtractionWorker, task: ExtractionTask) -> bool:
    """True if the session still has the items of the batch, unchanged."""
    keys = _item_keys(task)
    snapshot = task.session_stream.read(Query(task.session_stream.stream_name, "item", ids=keys))
    if (
        snapshot.info is None
        or snapshot.info.user != task.user
        or generation_of(snapshot.version) != task.watermark.life
    ):
        return False
    current = batch.from_page(worker.engine, snapshot.pages[0], len(keys) + 1, task.user)
    lines = () if current is None else current.lines
    return [(line.item.id, line.text) for line in lines] == [
        (line.item.id, line.text) for line in task.batch.lines
    ]


def _previous_summary(worker: ExtractionWorker, task: ExtractionTask) -> summaries.StoredSummary:
    """The summary so far; one of another owner's session of that name is none."""
    stored = summaries.load(worker.engine, task.session_stream.id)
    if stored.summary is not None and not summaries.belongs_to(stored, task.snapshot, None):
        return stored._replace(summary=None)
    return stored


def _is_summarized(stored: summaries.StoredSummary, task: ExtractionTask) -> bool:
    """Whether a try that was cut short has summed the batch up already."""
    same_generation = stored.summary is not None and stored.generation == task.watermark.life
    return (
        same_generation and stored.summary is not None and stored.summary.last_seq >= task.batch.seq
    )


def _write_summary(
    worker: ExtractionWorker,
    task: ExtractionTask,
    previous: summaries.StoredSummary,
    reply: ParsedReply,
) -> int:
    """Write the new summary, if any. Returns its version, or 0."""
    text = truncate(strip_commands(reply.summary))
    if not text:
        return 0
    summary = Summary(task.session_stream.id, text, reply.topics, task.batch.seq)
    previous_summary = previous.summary
    contiguous = (
        previous_summary is None or previous_summary.last_seq >= task.watermark.seq
    )  # else a batch between was not summed up
    span = summaries.Span(task.batch.first, task.batch.messages) if contiguous else None
    return summaries.write(
        worker.engine, previous, summary, generation=task.watermark.life, user=task.user, span=span
    )


def _undo_summary(worker: ExtractionWorker, task: ExtractionTask, version: int) -> None:
    if version:
        summaries.delete_version(worker.engine, task.session_stream.id, version)


def truncate(text: str, limit: int = prompt.MAX_SUMMARY) -> str:
    """A text of at most so many characters, cut behind a sentence where it can be."""
    text = text.strip()
    if len(text) <= limit:
        return text
    cut = max(text.rfind(end, 0, limit) for end in (". ", "! ", "? ", "\n"))
    return text[: cut + 1].strip() if cut > limit // 2 else text[:limit].rstrip()
