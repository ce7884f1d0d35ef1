"""A summary as it is stored: what it sums up, what prompts show of it, and its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from threadkeep.core import body, record_shapes
from threadkeep.types import Record
from threadkeep.types.knowledge import Summary
from threadkeep.types.timestamps import utc_datetime


class SummarySpan(NamedTuple):
    """What a summary sums up, in the life of the session that it belongs to.

    Attributes:
        first: the seq of the first item.
        messages: how many turns there are up to `last_seq`.
    """

    first: int
    messages: int


class PromptSummary(NamedTuple):
    """An earlier summary, which prompts still show.

    Attributes:
        text: of it.
        last_seq: the seq of the last item that it sums up.
        span: what it sums up.
    """

    text: str
    last_seq: int
    span: SummarySpan


class StoredSummary(NamedTuple):
    """A summary as stored.

    Attributes:
        summary: what is told; `None` = there is none.
        version: of its stream (0 = none).
        generation: of the session whose items `last_seq` counts.
        user: whose session it was when it was written; `None` = nobody's.
        span: what it sums up; `None` = also what was said in an earlier life, or nobody knows.
        in_prompts: what prompts show in its place; `None` = the summary itself.
    """

    summary: Summary | None = None
    version: int = 0
    generation: int = 0
    user: str | None = None
    span: SummarySpan | None = None
    in_prompts: PromptSummary | None = None

    def for_prompts(self) -> StoredSummary:
        """With the summary that prompts show."""
        if self.summary is None or self.in_prompts is None:
            return self
        prompt_summary = replace(
            self.summary, text=self.in_prompts.text, last_seq=self.in_prompts.last_seq
        )
        return self._replace(summary=prompt_summary, span=self.in_prompts.span, in_prompts=None)

    def texts(self) -> list[str]:
        """All that it says."""
        summary_texts = [self.summary.text] if self.summary else []
        return [*summary_texts, self.in_prompts.text] if self.in_prompts else summary_texts


def summary_fields(
    summary: Summary,
    generation: int,
    user: str | None,
    span: SummarySpan | None,
    in_prompts: PromptSummary | None,
) -> dict[str, object]:
    """The fields of a summary's record."""
    return {
        "session": summary.session,
        "text": summary.text,
        "topics": list(summary.topics),
        "last_seq": summary.last_seq,
        "version": summary.version,
        "life": generation,
        "user": user,
        **({} if span is None else {"span": list(span)}),
        **(
            {}
            if in_prompts is None
            else {"shown": {**in_prompts._asdict(), "span": list(in_prompts.span)}}
        ),
    }


def read_summary(session: str, record: Record, version: int) -> StoredSummary:
    """Read the record of a summary, which its stream has at a version.

    Raises:
        UnreadableRecord: it is damaged, or of a later version.
    """
    summary_fields = body.decode(record, record_shapes.SUMMARY)
    summary = Summary(
        session,
        summary_fields["text"],
        tuple(summary_fields.get("topics") or ()),
        summary_fields["last_seq"],
        summary_fields["version"],
        utc_datetime(record.at),
    )
    span, in_prompts = summary_fields.get("span"), summary_fields.get("shown")
    return StoredSummary(
        summary,
        version,
        summary_fields["life"],
        summary_fields.get("user"),
        SummarySpan(*span) if span else None,
        _prompt_summary(in_prompts) if in_prompts else None,
    )


def _prompt_summary(fields: Mapping[str, Any]) -> PromptSummary:
    return PromptSummary(fields["text"], fields["last_seq"], SummarySpan(*fields["span"]))
