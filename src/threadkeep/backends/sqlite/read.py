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
    live_streams: dict[str, tuple[int, int] | None] = {}
    results = []
    for query in queries:
        name = query.stream
        if is_single_id(query):
            page, live_streams[name] = _single_id_page(connection, query, now)
            results.append(page)
            continue
        if name not in live_streams:
            live_streams[name] = connection.execute(statements.LIVE, (name, now)).fetchone()
        live = live_streams[name]
        if live and query.limit == 0:
            results.append(Page(live[1], []))
            continue
        results.append(_page(connection, *live, query, now) if live else Page(0, []))
    return results


def is_single_id(query: Query) -> bool:
    """Return True if the query is for a single id, which one statement answers."""
    ids = query.ids
    return ids is not None and len(ids) == 1 and query[2:6] == _NO_BOUNDS


def is_single_statement(queries: Sequence[Query]) -> bool:
    """Return True if one statement answers all; then no transaction is needed for a snapshot."""
    return len(queries) == 1 and (queries[0].limit == 0 or is_single_id(queries[0]))


def _single_id_page(
    connection: sqlite3.Connection, query: Query, now: float
) -> tuple[Page, tuple[int, int] | None]:
    """The page of a single id, and the sid and version of its stream."""
    kind, (id,) = query.kind, query.ids or ("",)
    row = connection.execute(
        statements.LIVE_WITH_RECORD, (kind, id, now, query.stream, now)
    ).fetchone()
    if row is None:
        return Page(0, []), None
    sid, version, *record = row
    return Page(version, [_record(kind, *record)] if record[0] is not None else []), (sid, version)


def _page(connection: sqlite3.Connection, sid: int, version: int, query: Query, now: float) -> Page:
    _, kind, limit, newest, after, before, ids = query
    bounds = (sid, kind, -1 if after is None else after, LAST if before is None else before, now)
    row_limit = -1 if limit is None else limit
    if ids is None:
        rows = connection.execute(
            statements.NEWEST if newest else statements.OLDEST, (*bounds, row_limit)
        ).fetchall()
    else:
        statement = statements.NEWEST_IDS if newest else statements.OLDEST_IDS
        rows = connection.execute(statement, (*bounds, id_list(ids), row_limit)).fetchall()
    if newest:
        rows.reverse()
    return Page(version, [_record(kind, *row) for row in rows])


def undecodable(error: sqlite3.Error) -> bool:
    """Return True if the sqlite3 module failed to decode stored text as UTF-8."""
    return isinstance(error, sqlite3.OperationalError) and not hasattr(error, "sqlite_errorcode")


@contextmanager
def tolerant(connection: sqlite3.Connection) -> Iterator[None]:
    """Read damaged text with replacement characters, so that other records stay readable."""
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        yield
    finally:
        connection.text_factory = str
