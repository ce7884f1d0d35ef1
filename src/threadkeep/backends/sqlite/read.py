"""Reads pages in an open read transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from threadkeep.backends.sqlite import statements
from threadkeep.backends.sqlite.commit import LAST, id_list
from threadkeep.types import Page, Query, Record
from threadkeep.types.fast_init import fast_constructor

_record = fast_constructor(Record)
_NO_BOUNDS = (None, False, None, None)  # limit, newest, after, before


def pages(connection: sqlite3.Connection, queries: Sequence[Query], now: float) -> list[Page]:
    """Answer all queries; from one snapshot if a transaction is open."""
    head_by_stream: dict[str, tuple[int, int] | None] = {}
    answer_pages = []
    for query in queries:
        stream = query.stream
        if is_single_id(query):
            answer_page, head_by_stream[stream] = _single_id_page(connection, query, now)
            answer_pages.append(answer_page)
            continue
        if stream not in head_by_stream:
            head_by_stream[stream] = connection.execute(statements.LIVE, (stream, now)).fetchone()
        head = head_by_stream[stream]
        if head and query.limit == 0:
            answer_pages.append(Page(head[1], []))
            continue
        answer_pages.append(_page(connection, *head, query, now) if head else Page(0, []))
    return answer_pages


def is_single_id(query: Query) -> bool:
    """Return True if the query is for a single id, which one statement answers."""
    query_ids = query.ids
    return query_ids is not None and len(query_ids) == 1 and query[2:6] == _NO_BOUNDS


def is_single_statement(queries: Sequence[Query]) -> bool:
    """Return True if one statement answers all; then no transaction is needed for a snapshot."""
    return len(queries) == 1 and (queries[0].limit == 0 or is_single_id(queries[0]))


def _single_id_page(
    connection: sqlite3.Connection, query: Query, now: float
) -> tuple[Page, tuple[int, int] | None]:
    """The page of a single id, and the sid and version of its stream."""
    kind, (record_id,) = query.kind, query.ids or ("",)
    row = connection.execute(
        statements.LIVE_WITH_RECORD, (kind, record_id, now, query.stream, now)
    ).fetchone()
    if row is None:
        return Page(0, []), None
    sid, stream_version, *record_values = row
    records = [_record(kind, *record_values)] if record_values[0] is not None else []
    return Page(stream_version, records), (sid, stream_version)


def _page(connection: sqlite3.Connection, sid: int, version: int, query: Query, now: float) -> Page:
    _, kind, limit, is_newest_first, after_seq, before_seq, ids = query
    range_values = (
        sid,
        kind,
        -1 if after_seq is None else after_seq,
        LAST if before_seq is None else before_seq,
        now,
    )
    max_rows = -1 if limit is None else limit
    if ids is None:
        statement = statements.NEWEST if is_newest_first else statements.OLDEST
        rows = connection.execute(statement, (*range_values, max_rows)).fetchall()
    else:
        statement = statements.NEWEST_IDS if is_newest_first else statements.OLDEST_IDS
        rows = connection.execute(statement, (*range_values, id_list(ids), max_rows)).fetchall()
    if is_newest_first:
        rows.reverse()
    return Page(version, [_record(kind, *row) for row in rows])


def undecodable(error: sqlite3.Error) -> bool:
    """Return True if the sqlite3 module failed to decode stored text as UTF-8."""
    return isinstance(error, sqlite3.OperationalError) and not hasattr(error, "sqlite_errorcode")


@contextmanager
def tolerant(connection: sqlite3.Connection) -> Iterator[None]:
    """Read damaged text with replacement characters, so that other records stay readable."""
    connection.text_factory = lambda text_bytes: text_bytes.decode("utf-8", "replace")
    try:
        yield
    finally:
        connection.text_factory = str
