"""The SQL statements that all dialects share, with the few parts that differ.

`:name` marks a parameter; a dialect rewrites it for its driver. Text is built once per store,
out of constants and validated names only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from threadkeep.backends.sql.names import TableNames

Step = tuple[str, Any]
"""A statement and its parameters; a list of parameters means once for each."""

LAST: Final = 2**63 - 1
"""No upper bound: the largest seq or limit."""

_PARAMETER: Final = re.compile(r"(?<!:):([a-z]\w*)")


class Tables(NamedTuple):
    """Quoted names, as they stand in statements."""

    records: str
    streams: str
    meta: str


class DialectSyntax(NamedTuple):
    """The parts of the shared statements in which dialects differ.

    Attributes:
        quote: puts a part of a name in quotes.
        rewrite: turns `:name` into the driver's placeholder.
        ids: tests for one of the parameter `ids`.
        names: tests for one of the parameter `names`, of streams.
        limit: limits a SELECT to `:limit` rows.
        null_body: NULL where a body is expected.
        branch: a SELECT with ORDER BY as a part of UNION ALL: `{0}`.
        some_records: `{0}` deletes from the records `WHERE {1}`, at most `:limit`.
    """

    quote: Callable[[str], str]
    rewrite: Callable[[str], str]
    ids: str
    names: str
    limit: str = "LIMIT :limit"
    null_body: str = "NULL"
    branch: str = "({0})"
    some_records: str = "DELETE FROM {0} WHERE {1} LIMIT :limit"


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements on streams and records, in one dialect."""

    select_version: str
    head: str
    insert_stream: str
    update_stream: str
    touch: str
    delete_stream: str
    drop_all: str
    drop_range: str
    drop_ids: str
    select_seqs: str
    streams: str
    expired_streams: str
    lock_expired: str
    delete_records_of: str
    delete_streams: str
    expired_record_streams: str
    lock_streams: str
    delete_expired_records: str


def quote_tables(names: TableNames, quote: Callable[[str], str]) -> Tables:
    """Quote the names of a store."""
    schema_prefix = f"{quote(names.schema)}." if names.schema else ""
    return Tables(
        *(schema_prefix + quote(name) for name in (names.records, names.streams, names.meta))
    )


def pyformat(text: str) -> str:
    """Rewrite `:name` as `%(name)s`."""
    return _PARAMETER.sub(r"%(\1)s", text)


def build_statements(t: Tables, syntax: DialectSyntax) -> Statements:
    """Build the statements of a store."""
    sql_by_name = {
        **_stream_statements(t, syntax),
        **_record_statements(t, syntax),
        **_sweep_statements(t, syntax),
    }
    return Statements(
        **{statement_name: syntax.rewrite(sql) for statement_name, sql in sql_by_name.items()}
    )


def _stream_statements(t: Tables, syntax: DialectSyntax) -> Mapping[str, str]:
    head_columns = "version, seq, expires, ttl, token, token_version"
    return {
        "select_version": f"SELECT version FROM {t.meta} WHERE name = 'threadkeep'",
        "head": f"SELECT {head_columns} FROM {t.streams} WHERE stream = :stream FOR UPDATE",
        "insert_stream": f"INSERT INTO {t.streams} (stream, {head_columns}) "
        "VALUES (:stream, :version, :seq, :expires, :ttl, :token, :token_version)",
        "update_stream": f"UPDATE {t.streams} SET version = :version, seq = :seq, "
        "expires = :expires, ttl = :ttl, token = :token, token_version = :token_version "
        "WHERE stream = :stream",
        "touch": f"UPDATE {t.streams} SET expires = :expires, ttl = :ttl WHERE stream = :stream",
        "delete_stream": f"DELETE FROM {t.streams} WHERE stream = :stream",
        "streams": f"SELECT stream FROM {t.streams} WHERE stream >= :low "
        f"ORDER BY stream {syntax.limit}",
    }


def _record_statements(t: Tables, syntax: DialectSyntax) -> Mapping[str, str]:
    kind_filter = "WHERE stream = :stream AND kind = :kind AND seq <= :upto"
    return {
        "drop_all": f"DELETE FROM {t.records} WHERE stream = :stream",
        "drop_range": f"DELETE FROM {t.records} {kind_filter}",
        "drop_ids": f"DELETE FROM {t.records} {kind_filter} AND id {syntax.ids}",
        "select_seqs": f"SELECT kind, id, seq FROM {t.records} {kind_filter} AND id {syntax.ids}",
    }


def _sweep_statements(t: Tables, syntax: DialectSyntax) -> Mapping[str, str]:
    """A sweep locks each stream before it deletes, and skips those that are locked."""
    expired_streams_sql = f"SELECT stream FROM {t.streams} WHERE expires <= :now"
    lock_sql = f"SELECT stream FROM {t.streams} WHERE stream {syntax.names}"
    stream_condition = f"stream {syntax.names}"
    return {
        "expired_streams": f"{expired_streams_sql} {syntax.limit}",
        "lock_expired": f"{lock_sql} AND expires <= :now ORDER BY stream FOR UPDATE SKIP LOCKED",
        "delete_records_of": syntax.some_records.format(t.records, stream_condition),
        "delete_streams": f"DELETE FROM {t.streams} WHERE {stream_condition}",
        "expired_record_streams": f"SELECT stream FROM {t.records} "
        f"WHERE expires <= :now {syntax.limit}",
        "lock_streams": f"{lock_sql} ORDER BY stream FOR UPDATE SKIP LOCKED",
        "delete_expired_records": syntax.some_records.format(
            t.records, f"expires <= :now AND {stream_condition}"
        ),
    }


class ReadStatementBuilder:
    """Builds the one statement that answers several queries: a UNION ALL of short SELECTs.

    One statement is one snapshot in every database here, whatever its isolation.
    Columns: number, id, body, at, expires, seq. Heads of streams have negative numbers, and their
    version instead of a seq.
    """

    def __init__(self, t: Tables, syntax: DialectSyntax) -> None:
        self._syntax = syntax
        self.build = lru_cache(256)(self._build)
        self._head = (
            f"SELECT {{0}} AS n, stream AS id, {syntax.null_body} AS body, expires AS at, expires, "
            f"version AS seq FROM {t.streams} "
            "WHERE stream = :s{1} AND (expires IS NULL OR expires > :now)"
        )
        self._page = (
            f"SELECT {{0}} AS n, id, body, at, expires, seq FROM {t.records} "
            "WHERE stream = :s{1} AND kind = :k{0} AND seq > :a{0} AND seq < :b{0} "
            "AND (expires IS NULL OR expires > :now){2} ORDER BY seq{3} {4}"
        )

    def _build(self, stream_count: int, shapes: tuple[tuple[int, bool, str | None], ...]) -> str:
        """For a number of streams; each branch is (stream, newest first, condition on ids)."""
        head_selects = [self._head.format(-1 - number, number) for number in range(stream_count)]
        branch_selects = [
            self._branch(select_number, *branch) for select_number, branch in enumerate(shapes)
        ]
        return self._syntax.rewrite(" UNION ALL ".join([*head_selects, *branch_selects]))

    def _branch(self, n: int, stream_number: int, newest: bool, id_condition: str | None) -> str:
        id_clause = "" if id_condition is None else f" AND id {id_condition}"
        limit_clause = self._syntax.limit.replace(":limit", f":l{n}")
        select = self._page.format(
            n, stream_number, id_clause, " DESC" if newest else "", limit_clause
        )
        return self._syntax.branch.format(select)
