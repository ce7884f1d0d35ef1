"""Reads the items again that a segment held which is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from threadkeep.core.engine import Engine
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.longterm.recall.session_sync import SESSIONS_PER_READ, SessionSync
from threadkeep.sessions.recall_segments import SegmentSpan
from threadkeep.types import Query

_PAGE: Final = 200


class _LostRange(NamedTuple):
    """Items of a session: those behind one seq, up to another."""

    session: str
    seq_before: int
    last_seq: int


def read_again(
    engine: Engine, sessions: SessionSync, index: RecallIndex, spans: Mapping[str, SegmentSpan]
) -> None:
    """Read the items of the spans of sessions; what is there already stays."""
    lost_ranges = [
        _LostRange(session_id, span.first - 1, span.last) for session_id, span in spans.items()
    ]
    seqs_by_session = _indexed_seqs(index, set(spans))
    while lost_ranges:
        range_batch, lost_ranges = (
            lost_ranges[:SESSIONS_PER_READ],
            lost_ranges[SESSIONS_PER_READ:],
        )
        item_pages = engine.read(*(_query(sessions, lost_range) for lost_range in range_batch))
        for lost_range, item_page in zip(range_batch, item_pages, strict=True):
            if not sessions.is_current(lost_range.session, item_page):
                continue
            indexed_seqs = seqs_by_session[lost_range.session]
            for item_record in item_page.records:
                if item_record.seq not in indexed_seqs:
                    indexed_seqs.add(item_record.seq)
                    sessions.add_record(lost_range.session, item_record)
            if len(item_page.records) >= _PAGE:
                lost_ranges.append(lost_range._replace(seq_before=item_page.records[-1].seq))


def _query(sessions: SessionSync, lost_range: _LostRange) -> Query:
    return Query(
        sessions.stream(lost_range.session),
        "item",
        after=lost_range.seq_before or None,
        before=lost_range.last_seq + 1,
        limit=_PAGE,
    )


def _indexed_seqs(recall_index: RecallIndex, ids: set[str]) -> dict[str, set[int]]:
    """The seqs of the documents of some sessions."""
    seqs_by_session: dict[str, set[int]] = {session_id: set() for session_id in ids}
    ids_by_origin = {
        recall_index.origin_names.numbers_by_value.get(session_id): session_id for session_id in ids
    }
    for document_number, origin_number in enumerate(recall_index.origins):
        if origin_number in ids_by_origin and recall_index.alive[document_number]:
            seqs_by_session[ids_by_origin[origin_number]].add(recall_index.seqs[document_number])
    return seqs_by_session
