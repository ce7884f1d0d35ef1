"""Pages: several queries as one statement, and its rows as records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from threadkeep.backends.sql.statements import LAST, Step
from threadkeep.types import Page, Query, Record

if TYPE_CHECKING:
    from threadkeep.backends.sql.dialect import Dialect

_new = object.__new__
_kind, _id, _body, _at, _expires, _seq = (
    getattr(Record, name).__set__ for name in ("kind", "id", "body", "at", "expires", "seq")
)


def pages(dialect: Dialect, connection: Any, queries: Sequence[Query], now: float) -> list[Page]:
    """Answer all queries from one snapshot."""
    if not queries:
        return []
    streams = {name: n for n, name in enumerate(dict.fromkeys(q.stream for q in queries))}
    branches = [*_branches(queries, dialect.max_ids)]
    rows = dialect.run(connection, [_step(dialect, streams, branches, queries, now)])
    versions: dict[int, int] = {}
    rows_by_query: list[list[Any]] = [[] for _ in queries]
    query_numbers = [number for number, _ in branches]
    for row in rows:
        if row[0] < 0:
            versions[-1 - row[0]] = int(row[5])
        else:
            rows_by_query[query_numbers[row[0]]].append(row)
    return [
        _page(query, versions.get(streams[query.stream], 0), query_rows, dialect.text)
        for query, query_rows in zip(queries, rows_by_query, strict=True)
    ]


def _branches(queries: Sequence[Query], max_ids: int) -> Iterator[tuple[int, Sequence[str] | None]]:
    """Per SELECT: the number of its query, and its ids (`None` = any record)."""
    for n, query in enumerate(queries):
        if query.ids is None:
            yield n, None
        else:
            ids = list(dict.fromkeys(query.ids))
            yield from ((n, ids[start : start + max_ids]) for start in range(0, len(ids), max_ids))


def _step(
    dialect: Dialect,
    streams: dict[str, int],
    branches: Sequence[tuple[int, Sequence[str] | None]],
    queries: Sequence[Query],
    now: float,
) -> Step:
    parameters: dict[str, Any] = {f"s{n}": name for name, n in streams.items()}
    parameters["now"] = now
    shape: list[tuple[int, bool, str | None]] = []
    for n, (query_number, ids) in enumerate(branches):
        stream, kind, limit, newest, after, before, _ = queries[query_number]
        parameters[f"k{n}"] = kind
        parameters[f"a{n}"] = -1 if after is None else after
        parameters[f"b{n}"] = LAST if before is None else before
        parameters[f"l{n}"] = LAST if limit is None else limit
        id_condition = None
        if ids is not None:
            id_condition, id_parameters = dialect.id_condition(f"i{n}", ids)
            parameters.update(id_parameters)
        shape.append((streams[stream], newest, id_condition))
    return dialect.reads.build(len(streams), tuple(shape)), parameters


def _page(query: Query, version: int, rows: list[Any], text: Callable[[Any], str]) -> Page:
    if not version:
        return Page(0, [])
    rows.sort(key=_by_seq)
    if query.limit is not None and len(rows) > query.limit:  # ids in several branches
        rows = rows[len(rows) - query.limit :] if query.newest else rows[: query.limit]
    return Page(version, _records(query.kind, rows, text))


def _by_seq(row: Sequence[Any]) -> int:
    seq: int = row[5]
    return seq


def _records(kind: str, rows: Iterable[Any], text: Callable[[Any], str]) -> list[Record]:
    """As `Record(kind, *row)`, in half the time: most of the time of a read is spent here."""
    records = []
    for _, id, body, at, expires, seq in rows:
        record = _new(Record)
        _kind(record, kind)
        _id(record, text(id))
        _body(record, body)
        _at(record, at)
        _expires(record, expires)
        _seq(record, seq)
        records.append(record)
    return records
