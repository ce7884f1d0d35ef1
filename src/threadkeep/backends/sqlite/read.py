"""Pages out of an open read transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from threadkeep.backends.sqlite import statements
from threadkeep.backends.sqlite.commit import LAST, id_list
from threadkeep.types import Page, Query, Record
from threadkeep.types.fast_init import maker

_record = maker(Record)
_UNBOUNDED = (None, False, None, None)  # limit, newest, after, before


def pages(connection: sqlite3.Connection, queries: Sequence[Query], now: float) -> list[Page]:
    """Answer all queries, from one snapshot if a transaction is open."""
    found: dict[str, tuple[int, int] | None] = {}
    answers = []
    for query in queries:
        name = query.stream
        if is_one(query):
            page, found[name] = _one(connection, query, now)
            answers.append(page)
            continue
        if name not in found:
            found[name] = connection.execute(statements.LIVE, (name, now)).fetchone()
        live = found[name]
        if live and query.limit == 0:
            answers.append(Page(live[1], []))
            continue
        answers.append(_page(connection, *live, query, now) if live else Page(0, []))
    return answers


def is_one(query: Query) -> bool:
    """Whether it asks for a single id, which one statement answers."""
    ids = query.ids
    return ids is not None and len(ids) == 1 and query[2:6] == _UNBOUNDED


def is_short(queries: Sequence[Query]) -> bool:
    """Whether one statement answers all, which needs no transaction to be a snapshot."""
    return len(queries) == 1 and (queries[0].limit == 0 or is_one(queries[0]))


def _one(
    connection: sqlite3.Connection, query: Query, now: float
) -> tuple[Page, tuple[int, int] | None]:
    """The page of a single id, and the stream with its version."""
    kind, (id,) = query.kind, query.ids or ("",)
    row = connection.execute(statements.LIVE_AND_ONE, (kind, id, now, query.stream, now)).fetchone()
    if row is None:
        return Page(0, []), None
    sid, version, *record = row
    return Page(version, [_record(kind, *record)] if record[0] is not None else []), (sid, version)


def _page(connection: sqlite3.Connection, sid: int, version: int, query: Query, now: float) -> Page:
    _, kind, limit, newest, after, before, ids = query
    span = (sid, kind, -1 if after is None else after, LAST if before is None else before, now)
    last = -1 if limit is None else limit
    if ids is None:
        rows = connection.execute(
            statements.NEWEST if newest else statements.OLDEST, (*span, last)
        ).fetchall()
    else:
        statement = statements.NEWEST_IDS if newest else statements.OLDEST_IDS
        rows = connection.execute(statement, (*span, id_list(ids), last)).fetchall()
    if newest:
        rows.reverse()
    return Page(version, [_record(kind, *row) for row in rows])


def undecodable(error: sqlite3.Error) -> bool:
    """Is this the sqlite3 module's complaint about stored text that is not UTF-8?"""
    return isinstance(error, sqlite3.OperationalError) and not hasattr(error, "sqlite_errorcode")


@contextmanager
def tolerant(connection: sqlite3.Connection) -> Iterator[None]:
    """Within this, damaged text is read with replacement characters: one record hides no other."""
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        yield
    finally:
        connection.text_factory = str
