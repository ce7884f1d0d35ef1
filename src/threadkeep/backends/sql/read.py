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
    number_by_name = {
        stream_name: stream_number
        for stream_number, stream_name in enumerate(dict.fromkeys(q.stream for q in queries))
    }
    select_branches = [*_branches(queries, dialect.max_ids)]
    result_rows = dialect.run(
        connection, [_step(dialect, number_by_name, select_branches, queries, now)]
    )
    version_by_number: dict[int, int] = {}
    row_lists: list[list[Any]] = [[] for _ in queries]
    query_numbers = [query_number for query_number, _ in select_branches]
    for result_row in result_rows:
        if result_row[0] < 0:
            version_by_number[-1 - result_row[0]] = int(result_row[5])
        else:
            row_lists[query_numbers[result_row[0]]].append(result_row)
    return [
        _page(
            query, version_by_number.get(number_by_name[query.stream], 0), query_rows, dialect.text
        )
        for query, query_rows in zip(queries, row_lists, strict=True)
    ]


def _branches(queries: Sequence[Query], max_ids: int) -> Iterator[tuple[int, Sequence[str] | None]]:
    """Per SELECT: the number of its query, and its ids (`None` = any record)."""
    for query_number, query in enumerate(queries):
        if query.ids is None:
            yield query_number, None
        else:
            unique_ids = list(dict.fromkeys(query.ids))
            yield from (
                (query_number, unique_ids[chunk_start : chunk_start + max_ids])
                for chunk_start in range(0, len(unique_ids), max_ids)
            )


def _step(
    dialect: Dialect,
    number_by_name: dict[str, int],
    branches: Sequence[tuple[int, Sequence[str] | None]],
    queries: Sequence[Query],
    now: float,
) -> Step:
    parameters: dict[str, Any] = {f"s{number}": name for name, number in number_by_name.items()}
    parameters["now"] = now
    branch_shapes: list[tuple[int, bool, str | None]] = []
    for branch_number, (query_number, branch_ids) in enumerate(branches):
        stream_name, kind, record_limit, is_newest_first, after_seq, before_seq, _ = queries[
            query_number
        ]
        parameters[f"k{branch_number}"] = kind
        parameters[f"a{branch_number}"] = -1 if after_seq is None else after_seq
        parameters[f"b{branch_number}"] = LAST if before_seq is None else before_seq
        parameters[f"l{branch_number}"] = LAST if record_limit is None else record_limit
        id_condition = None
        if branch_ids is not None:
            id_condition, id_parameters = dialect.id_condition(f"i{branch_number}", branch_ids)
            parameters.update(id_parameters)
        branch_shapes.append((number_by_name[stream_name], is_newest_first, id_condition))
    return dialect.reads.build(len(number_by_name), tuple(branch_shapes)), parameters


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
    for _, record_id, record_body, written_at, expiry, seq in rows:
        record = _new(Record)
        _kind(record, kind)
        _id(record, text(record_id))
        _body(record, record_body)
        _at(record, written_at)
        _expires(record, expiry)
        _seq(record, seq)
        records.append(record)
    return records
