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
    live_streams_by_name: dict[str, tuple[int, int] | None] = {}
    answer_pages = []
    for query in queries:
        stream_name = query.stream
        if is_single_id(query):
            answer_page, live_streams_by_name[stream_name] = _single_id_page(connection, query, now)
            answer_pages.append(answer_page)
            continue
        if stream_name not in live_streams_by_name:
            live_streams_by_name[stream_name] = connection.execute(
                statements.LIVE, (stream_name, now)
            ).fetchone()
        live_stream = live_streams_by_name[stream_name]
        if live_stream and query.limit == 0:
            answer_pages.append(Page(live_stream[1], []))
            continue
        answer_pages.append(
            _page(connection, *live_stream, query, now) if live_stream else Page(0, [])
        )
    return answer_pages


def is_single_id(query: Query) -> bool:
    """Return True if the query is for a single id, which one statement answers."""
    queried_ids = query.ids
    return queried_ids is not None and len(queried_ids) == 1 and query[2:6] == _NO_BOUNDS


def is_single_statement(queries: Sequence[Query]) -> bool:
    """Return True if one statement answers all; then no transaction is needed for a snapshot."""
    return len(queries) == 1 and (queries[0].limit == 0 or is_single_id(queries[0]))


def _single_id_page(
    connection: sqlite3.Connection, query: Query, now: float
) -> tuple[Page, tuple[int, int] | None]:
    """The page of a single id, and the sid and version of its stream."""
    kind, (record_id,) = query.kind, query.ids or ("",)
    stream_and_record_row = connection.execute(
        statements.LIVE_WITH_RECORD, (kind, record_id, now, query.stream, now)
    ).fetchone()
    if stream_and_record_row is None:
        return Page(0, []), None
    sid, stream_version, *record_columns = stream_and_record_row
    return Page(
        stream_version, [_record(kind, *record_columns)] if record_columns[0] is not None else []
    ), (sid, stream_version)


def _page(connection: sqlite3.Connection, sid: int, version: int, query: Query, now: float) -> Page:
    _, kind, record_limit, is_newest_first, after_seq, before_seq, queried_ids = query
    range_parameters = (
        sid,
        kind,
        -1 if after_seq is None else after_seq,
        LAST if before_seq is None else before_seq,
        now,
    )
    row_limit = -1 if record_limit is None else record_limit
    if queried_ids is None:
        record_rows = connection.execute(
            statements.NEWEST if is_newest_first else statements.OLDEST,
            (*range_parameters, row_limit),
        ).fetchall()
    else:
        statement = statements.NEWEST_IDS if is_newest_first else statements.OLDEST_IDS
        record_rows = connection.execute(
            statement, (*range_parameters, id_list(queried_ids), row_limit)
        ).fetchall()
    if is_newest_first:
        record_rows.reverse()
    return Page(version, [_record(kind, *record_row) for record_row in record_rows])


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
