"""Checks what was learned: of users, of sessions without a user, and summaries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from threadkeep.core import names, record_shapes
from threadkeep.core.engine import Engine
from threadkeep.core.pages import all_records
from threadkeep.core.shape import Check
from threadkeep.longterm.extraction.watermark import BUDGET
from threadkeep.longterm.repair.problem import (
    PAGE,
    StoreFinding,
    is_old,
    orphaned_stream,
    unreadable,
)
from threadkeep.longterm.store.unit_of_work import FACT, FORGOTTEN, INSTRUCTION, USER, WATERMARK
from threadkeep.sessions.derived import SUMMARY
from threadkeep.types import Query, Record

_SHAPES: Final[Mapping[str, Check]] = {
    FACT: record_shapes.FACT,
    INSTRUCTION: record_shapes.INSTRUCTION,
    WATERMARK: record_shapes.WATERMARK,
    FORGOTTEN: record_shapes.EMPTY,
}


def check_user(engine: Engine, stream: str) -> Iterator[StoreFinding]:
    """What is wrong in what was learned of a user."""
    longterm_engine = engine.longterm
    for record_kind, record_shape in _SHAPES.items():
        for record in all_records(longterm_engine, stream, record_kind, PAGE):
            own_shape = record_shapes.BUDGET if record.id == BUDGET else record_shape
            yield from unreadable(longterm_engine, stream, record, own_shape)
            if (record.kind, record.id) == (FORGOTTEN, USER) and is_old(longterm_engine, record):
                remedy = "run `threadkeep forget` for this user again"
                yield StoreFinding(stream, "forgetting was cut short", remedy)


def check_anonymous(engine: Engine, stream: str) -> Iterator[StoreFinding]:
    """What is wrong in what was learned from a session without a user."""
    yield from check_user(engine, stream)
    newest_record = _newest(engine, stream)
    session_stream_name = (
        names.noun_prefix(engine.settings.namespace, "session") + names.parts(stream)[1]
    )
    session_version = engine.read(Query(session_stream_name, "session", limit=0))[0].version
    if newest_record is not None and not session_version and is_old(engine, newest_record):
        own_version = engine.longterm.read(Query(stream, FACT, limit=0))[0].version
        yield orphaned_stream(engine.longterm, stream, own_version, "memory of a deleted session")


def check_summary(engine: Engine, stream: str) -> Iterator[StoreFinding]:
    """What is wrong in a summary; one may outlive its session."""
    for record in all_records(engine.longterm, stream, SUMMARY, PAGE):
        yield from unreadable(engine.longterm, stream, record, record_shapes.SUMMARY)


def _newest(engine: Engine, stream: str) -> Record | None:
    kind_queries = [Query(stream, record_kind, limit=1, newest=True) for record_kind in _SHAPES]
    newest_records = [
        record for page in engine.longterm.read(*kind_queries) for record in page.records
    ]
    return max(newest_records, key=lambda record: record.at, default=None)
