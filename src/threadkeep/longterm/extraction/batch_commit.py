"""One commit for all that a batch changes: facts, instructions, the watermark and the budget."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from threadkeep.longterm.chat_model import ModelError
from threadkeep.longterm.extraction.complete import TokenCost
from threadkeep.longterm.extraction.evidence import Evidence
from threadkeep.longterm.extraction.lease import (
    ExtractionTask,
    ExtractionWorker,
    LeaseLost,
    load_leased,
)
from threadkeep.longterm.extraction.reconcile import ExtractionCounts, reconcile
from threadkeep.longterm.extraction.reply import ParsedReply
from threadkeep.longterm.extraction.report import Report
from threadkeep.longterm.extraction.watermark import (
    BUDGET,
    DEAD,
    MAX_BACKOFF,
    Watermark,
    spent_today,
    watermark_of,
)
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.types.knowledge import Fact, Instruction

_FIRST_BACKOFF: Final = 5.0
_TRIES: Final = 64


def evidence_of(
    worker: ExtractionWorker,
    task: ExtractionTask,
    reply: ParsedReply | None = None,
    facts: Sequence[Fact] = (),
    instructions: Sequence[Instruction] = (),
    verified: Mapping[str, bool] | None = None,
) -> Evidence:
    """What a batch says, with the entries that the model was shown; no reply = requests alone."""
    session_namespace = worker.engine.settings.namespace
    longterm_namespace = worker.engine.longterm.settings.namespace
    return Evidence(
        worker.engine,
        task.session_stream.id,
        None if session_namespace == longterm_namespace else session_namespace,
        task.user,
        task.batch,
        reply or ParsedReply(),
        [fact.id for fact in facts],
        [instruction.id for instruction in instructions],
        worker.extractor_name,
        verified,
    )


def commit_evidence(
    worker: ExtractionWorker, task: ExtractionTask, evidence: Evidence, cost: TokenCost
) -> ExtractionCounts:
    """Facts, instructions and the watermark in one commit; by code again where it met another.

    Raises:
        LeaseLost: the user was forgotten, or another worker holds the lease.
    """
    for _ in range(_TRIES):
        unit_of_work = load_leased(task)
        counts = reconcile(unit_of_work, evidence)
        unit_of_work.put_watermark(task.key, _read_up_to(unit_of_work, task).body())
        _charge_budget(worker, unit_of_work, cost)
        if task.user_stream.commit(unit_of_work):
            return counts
    raise ModelError("the user's memory was changed by others all the time")


def record_failure(
    worker: ExtractionWorker,
    task: ExtractionTask,
    error: ModelError,
    cost: TokenCost,
    *,
    keep_requests: bool = True,
) -> Report:
    """Note that a batch was tried in vain; what the user asked to be kept is kept all the same."""
    failed_watermark = _failed_watermark(worker, task, error)
    evidence = evidence_of(worker, task) if keep_requests else None
    counts = ExtractionCounts()
    try:
        for _ in range(_TRIES):
            unit_of_work = load_leased(task)
            counts = counts if evidence is None else reconcile(unit_of_work, evidence)
            current_watermark = watermark_of(unit_of_work, task.key, task.watermark.life)
            unit_of_work.put_watermark(
                task.key, replace(failed_watermark, again=current_watermark.again).body()
            )
            _charge_budget(worker, unit_of_work, cost)
            if task.user_stream.commit(unit_of_work):
                break
    except LeaseLost:
        return Report()
    dead_count = int(failed_watermark.state == DEAD)
    return replace(counts.report(), failures=1, dead=dead_count, errors=(failed_watermark.error,))


def _failed_watermark(
    worker: ExtractionWorker, task: ExtractionTask, error: ModelError
) -> Watermark:
    """The watermark before a batch, with the time of the next try."""
    try_count = task.watermark.tries + 1
    return Watermark(
        life=task.watermark.life,
        seq=task.watermark.seq,
        tries=try_count,
        next=worker.engine.now() + _backoff(try_count, error.retry_after),
        state=DEAD if try_count >= worker.settings.tries else "ok",
        error=str(error),
        item=task.watermark.item,
        digest=task.watermark.digest,
        again=task.watermark.again,
    )


def _read_up_to(unit: UnitOfWork, task: ExtractionTask) -> Watermark:
    """The watermark behind a batch; what was edited while it was read stays to be read again."""
    batch_ids = frozenset(task.batch.again)
    current_watermark = watermark_of(unit, task.key, task.watermark.life)
    return Watermark(
        life=task.watermark.life,
        seq=task.batch.seq,
        item=task.batch.last,
        digest=task.batch.digest,
        again=tuple(item_id for item_id in current_watermark.again if item_id not in batch_ids),
    )


def _backoff(tries: int, retry_after: float | None) -> float:
    """Seconds to the next try: what was asked for, or twice as long each time; and some chance."""
    jitter = random.random()  # noqa: S311 (not for secrets)
    if retry_after is not None:
        return min(MAX_BACKOFF, retry_after * (1 + jitter / 10))
    return min(MAX_BACKOFF, _FIRST_BACKOFF * 2.0 ** (tries - 1) * (0.5 + jitter / 2))


def _charge_budget(worker: ExtractionWorker, unit: UnitOfWork, cost: TokenCost) -> None:
    daily_budget = spent_today(unit, worker.engine.now())
    extra_calls = max(0, cost.calls - 1)  # the first one was counted with the lease
    tokens_today = daily_budget.tokens + cost.prompt_tokens + cost.completion_tokens
    if cost.calls:
        updated_budget = replace(
            daily_budget, calls=daily_budget.calls + extra_calls, tokens=tokens_today
        )
        unit.put_watermark(BUDGET, updated_budget.body())
