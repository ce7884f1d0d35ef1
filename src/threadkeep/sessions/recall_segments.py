"""The kept index of a user's words: which segments there are, and what drops them.

A segment is one head and some pieces, in the user's `recall` stream. A head says which items a
segment holds and has no word of them; only pieces have words. What a segment that was dropped held
stays known as a gap, until it is indexed again. How pieces are made and searched is no concern of
this module: see `threadkeep.longterm.recall`.

**Whoever deletes, edits or hides items calls `drop_touched` after it, in the same verb.** A builder
looks at the sessions again after it wrote a segment, so one of the two notices the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from threadkeep.core.engine import Engine
from threadkeep.errors import BackendError, Conflict
from threadkeep.printable import shown
from threadkeep.types import KEEP, Drop, Page, Query, Record

NOUN: Final = "recall"
"""The noun of the stream."""
HEAD: Final = "recall_segment"
PIECE: Final = "recall_piece"
GAP: Final = "recall_gap"

_TRIES: Final = 64


class SegmentSpan(NamedTuple):
    """What a segment holds of a session.

    Attributes:
        first: the seq of the first item.
        last: the seq of the last item.
        read: the seq up to which the session had been read.
        version: of the session, when it had been read so far.
    """

    first: int
    last: int
    read: int
    version: int


class SegmentHead(NamedTuple):
    """What is known of a segment without its words; of a gap, of the segment that was there.

    Attributes:
        id: of the segment; its pieces are `<id>.0`, `<id>.1` and so on.
        analysis: how words were taken apart; other segments cannot be read.
        documents: how many items it holds.
        pieces: how many there are.
        columns: how many of them, the first ones, hold the columns.
        complete: whether all pieces were written.
        list_version: of the user's list of sessions, when the segment was built.
        list_seq: the seq up to which that list had been read; 0 = not to its end.
        spans: what it holds, by session.
        written_at: when it was built, epoch seconds.
        expires: when its pieces are over, epoch seconds.
        vectors: the name of the embedder whose vectors it holds.
        first_vector: the number of the first piece with vectors; 0 = there are none.
    """

    id: str
    analysis: int
    documents: int
    pieces: int
    columns: int
    complete: bool
    list_version: int
    list_seq: int
    spans: Mapping[str, SegmentSpan]
    written_at: float = 0.0
    expires: float | None = None
    vectors: str | None = None
    first_vector: int = 0

    def piece_ids(self) -> list[str]:
        """The ids of its pieces."""
        return [f"{self.id}.{piece_number}" for piece_number in range(self.pieces)]

    def record(self, kind: str, now: float) -> Record:
        """The record of a head or of a gap."""
        head_fields = {
            **self._asdict(),
            "spans": {session_id: list(span) for session_id, span in self.spans.items()},
        }
        return Record(kind, self.id, json.dumps(head_fields, separators=(",", ":")), now)


class Heads(NamedTuple):
    """The heads and gaps of a user, oldest first, at one version of the stream.

    Attributes:
        version: of the stream; 0 = nothing is kept.
        segments: complete or not.
        gaps: what segments held that were dropped.
        unreadable: ids of records that are neither.
    """

    version: int
    segments: list[SegmentHead]
    gaps: list[SegmentHead]
    unreadable: list[str]


def stream(engine: Engine, user: str) -> str:
    """The stream of a user's kept index."""
    return engine.stream(NOUN, user)


def queries(engine: Engine, user: str) -> tuple[Query, Query]:
    """What `parse` takes the answers of."""
    index_stream_name = stream(engine, user)
    return Query(index_stream_name, HEAD), Query(index_stream_name, GAP)


def parse(head_page: Page, gap_page: Page) -> Heads:
    """The heads of a user, from the answers to `queries`."""
    segments: list[SegmentHead] = []
    gaps: list[SegmentHead] = []
    unreadable_ids: list[str] = []
    for record_page, parsed_heads in ((head_page, segments), (gap_page, gaps)):
        for record in record_page.records:
            head = _head(record)
            parsed_heads.append(head) if head else unreadable_ids.append(record.id)
    return Heads(head_page.version, segments, gaps, unreadable_ids)


def read(engine: Engine, user: str) -> Heads:
    """The heads of a user, in one round trip."""
    head_page, gap_page = engine.read(*queries(engine, user))
    return parse(head_page, gap_page)


def drop_touched(engine: Engine, user: str | None, session: str, *, upto: int | None = None) -> int:
    """Drop the segments that hold items of a session; returns how many.

    One read, and one small commit if there are such segments. Call it after the change.

    Args:
        engine: of the session.
        user: its owner; nothing is kept of sessions without one.
        session: its id.
        upto: only segments that hold items up to this seq.

    Raises:
        BackendError: others changed the index all the time; nothing else is undone.
    """
    if user is None:
        return 0
    for _ in range(_TRIES):
        heads = read(engine, user)
        touched_heads = [
            head
            for head in heads.segments
            if session in head.spans and (upto is None or head.spans[session].first <= upto)
        ]
        if not touched_heads and not heads.unreadable:
            return 0
        with suppress(Conflict):
            drop(engine, user, heads, touched_heads)
            return len(touched_heads)
    raise BackendError(
        f"others changed the index of {shown(user)} at each of {_TRIES} tries; try again"
    )


def drop(engine: Engine, user: str, heads: Heads, dropped: Iterable[SegmentHead]) -> int:
    """Drop segments, and remember what they held; returns the stream's version.

    If a head cannot be read, nobody can say what it holds, and all segments go.

    Raises:
        Conflict: the index changed since the heads were read.
    """
    stream_name, now = stream(engine, user), engine.now()
    if heads.unreadable:
        return engine.commit(stream_name, drop=[Drop()], ttl=KEEP, expect=heads.version).version
    dropped_heads = list(dropped)
    return engine.commit(
        stream_name,
        put=[head._replace(pieces=0).record(GAP, now) for head in dropped_heads if head.complete],
        drop=dropping(dropped_heads),
        ttl=KEEP,
        expect=heads.version,
    ).version


def dropping(heads: Iterable[SegmentHead]) -> list[Drop]:
    """What removes some segments with all their pieces."""
    dropped_heads = list(heads)
    piece_ids = [piece_id for head in dropped_heads for piece_id in head.piece_ids()]
    return (
        [Drop(HEAD, [head.id for head in dropped_heads]), Drop(PIECE, piece_ids)]
        if dropped_heads
        else []
    )


def forget_user(engine: Engine, user: str) -> None:
    """Drop all that is kept of a user's words."""
    index_stream_name = stream(engine, user)
    if engine.read(Query(index_stream_name, HEAD, limit=0))[0].version:
        engine.commit(index_stream_name, drop=[Drop()], ttl=KEEP)


def _head(record: Record) -> SegmentHead | None:
    try:
        head_fields: dict[str, Any] = json.loads(record.body)
        span_by_session = {
            str(session_id): SegmentSpan(*map(int, span))
            for session_id, span in head_fields.pop("spans").items()
        }
        head = SegmentHead(**head_fields, spans=span_by_session)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    counts = (head.analysis, head.documents, head.pieces, head.columns, head.list_seq)
    return head if head.id == record.id and all(type(count) is int for count in counts) else None
