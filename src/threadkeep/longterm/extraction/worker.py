"""One batch of one session: taken by a lease, read by the model, committed with its watermark."""

from __future__ import annotations

from dataclasses import replace

from threadkeep.core import names
from threadkeep.errors import BackendError
from threadkeep.longterm import follow
from threadkeep.longterm.chat_model import ModelError
from threadkeep.longterm.extraction import batch, batch_summary, prompt
from threadkeep.longterm.extraction.batch_commit import (
    commit_evidence,
    evidence_of,
    record_failure,
)
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
from threadkeep.longterm.extraction.report import Report
from threadkeep.longterm.extraction.verify import verify
from threadkeep.longterm.stored_summary import StoredSummary
from threadkeep.types import Query
from threadkeep.types.versions import generation_of


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
        report = record_failure(worker, task, error, cost)
    except LeaseLost:
        report = Report()
    except BackendError:
        raise  # the store's; the lease ends by itself
    except Exception as error:  # a redactor's, or ours: it is not to be paid for without end
        report = record_failure(
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
        commit_evidence(worker, task, evidence_of(worker, task), cost)
        return Report(batches=1)
    previous_summary = batch_summary.load_previous(worker, task)
    evidence, sums_up = _ask(worker, task, previous_summary, cost)
    if not _is_unchanged(worker, task):
        release(task)
        raise LeaseLost
    load_leased(task)
    summary_version = (
        batch_summary.write(worker, task, previous_summary, evidence.reply) if sums_up else 0
    )
    try:
        counts = commit_evidence(worker, task, evidence, cost)
    except LeaseLost:
        batch_summary.undo(worker, task, summary_version)
        raise
    if not _is_unchanged(worker, task):  # since it was looked at a moment ago
        batch_summary.undo(worker, task, summary_version)
        _retract(task)
    return replace(counts.report(), batches=1, summaries=int(bool(summary_version)))


def _ask(
    worker: ExtractionWorker, task: ExtractionTask, previous: StoredSummary, cost: TokenCost
) -> tuple[Evidence, bool]:
    """What the model makes of a batch, and whether it was asked for a summary too."""
    sums_up = worker.settings.summaries and not (
        task.batch.again or batch_summary.is_summarized(previous, task)
    )
    messages, facts, instructions = prompt.build_messages(
        load_leased(task), task.batch, previous.summary, sum_up=sums_up, user=task.user
    )
    reply = complete(worker.model, messages, task.batch, sum_up=sums_up, cost=cost)
    answer_by_note = (
        verify(worker.model, reply, task.batch, task.user, cost) if worker.settings.verify else None
    )
    return evidence_of(worker, task, reply, facts, instructions, answer_by_note), sums_up


def _retract(task: ExtractionTask) -> None:
    """Take back what came of items that were edited or removed while it was being written."""
    follow.after_edit(task.session_stream, [line.item.id for line in task.batch.lines])


def _item_keys(task: ExtractionTask) -> list[str]:
    return [names.key(line.item.id) for line in task.batch.lines]


def _is_unchanged(worker: ExtractionWorker, task: ExtractionTask) -> bool:
    """True if the session still has the items of the batch, unchanged."""
    item_keys = _item_keys(task)
    snapshot = task.session_stream.read(
        Query(task.session_stream.stream_name, "item", ids=item_keys)
    )
    if (
        snapshot.info is None
        or snapshot.info.user != task.user
        or generation_of(snapshot.version) != task.watermark.life
    ):
        return False
    current_batch = batch.from_page(worker.engine, snapshot.pages[0], len(item_keys) + 1, task.user)
    current_lines = () if current_batch is None else current_batch.lines
    return [(line.item.id, line.text) for line in current_lines] == [
        (line.item.id, line.text) for line in task.batch.lines
    ]
