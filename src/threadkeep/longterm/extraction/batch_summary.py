"""The session's rolling summary, as a batch continues it: read, written, taken back."""

from __future__ import annotations

from threadkeep.longterm import summaries
from threadkeep.longterm.extraction import prompt
from threadkeep.longterm.extraction.claim_check import strip_commands
from threadkeep.longterm.extraction.lease import ExtractionTask, ExtractionWorker
from threadkeep.longterm.extraction.reply import ParsedReply
from threadkeep.longterm.stored_summary import StoredSummary, SummarySpan
from threadkeep.types.knowledge import Summary


def load_previous(worker: ExtractionWorker, task: ExtractionTask) -> StoredSummary:
    """The summary so far; one of another owner's session of that name is none."""
    stored_summary = summaries.load(worker.engine, task.session_stream.id)
    if stored_summary.summary is not None and not summaries.belongs_to(
        stored_summary, task.snapshot, None
    ):
        return stored_summary._replace(summary=None)
    return stored_summary


def is_summarized(stored: StoredSummary, task: ExtractionTask) -> bool:
    """Whether a try that was cut short has summed the batch up already."""
    is_same_generation = stored.summary is not None and stored.generation == task.watermark.life
    return (
        is_same_generation
        and stored.summary is not None
        and stored.summary.last_seq >= task.batch.seq
    )


def write(
    worker: ExtractionWorker,
    task: ExtractionTask,
    previous: StoredSummary,
    reply: ParsedReply,
) -> int:
    """Write the new summary, if any. Returns its version, or 0."""
    summary_text = truncate(strip_commands(reply.summary))
    if not summary_text:
        return 0
    summary = Summary(task.session_stream.id, summary_text, reply.topics, task.batch.seq)
    is_contiguous = (
        previous.summary is None or previous.summary.last_seq >= task.watermark.seq
    )  # else a batch between was not summed up
    summary_span = SummarySpan(task.batch.first, task.batch.messages) if is_contiguous else None
    return summaries.write(
        worker.engine,
        previous,
        summary,
        generation=task.watermark.life,
        user=task.user,
        span=summary_span,
    )


def undo(worker: ExtractionWorker, task: ExtractionTask, version: int) -> None:
    """Take back the summary of a version; 0 = none was written."""
    if version:
        summaries.delete_version(worker.engine, task.session_stream.id, version)


def truncate(text: str, limit: int = prompt.MAX_SUMMARY) -> str:
    """A text of at most so many characters, cut behind a sentence where it can be."""
    text = text.strip()
    if len(text) <= limit:
        return text
    last_index = max(text.rfind(terminator, 0, limit) for terminator in (". ", "! ", "? ", "\n"))
    return text[: last_index + 1].strip() if last_index > limit // 2 else text[:limit].rstrip()
