"""The table of statements: what all databases say alike, with the few words that differ.

`:name` marks a parameter; a dialect rewrites it for its driver. Text is built once per store,
out of constants and validated names only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from threadkeep.backends.sql.names import Names

Step = tuple[str, Any]
"""A statement and its parameters; a list of parameters means once for each."""

LAST: Final = 2**63 - 1
"""No upper bound, of a seq or a limit."""

_PARAMETER: Final = re.compile(r"(?<!:):([a-z]\w*)")


class Tables(NamedTuple):
    """Quoted names, as they stand in statements."""

    records: str
    streams: str
    meta: str


class Words(NamedTuple):
    """Where dialects differ inside a statement that is otherwise alike.

    Attributes:
        quote: puts a part of a name in quotes.
        rewrite: from `:name` to what the driver takes.
        ids: "is one of the parameter `ids`".
        names: the same of streams.
        limit: at most `:limit` rows.
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
    """What every dialect can say about streams, records and their upkeep."""

    check: str
    head: str
    begin_life: str
    go_on: str
    touch: str
    end_life: str
    drop_all: str
    drop_range: str
    drop_ids: str
    places: str
    streams: str
    dead_streams: str
    lock_dead: str
    sweep_streams: str
    end_lives: str
    dead_records: str
    lock_streams: str
    sweep_records: str


def tables(names: Names, quote: Callable[[str], str]) -> Tables:
    """The names of a store, quoted."""
    schema = f"{quote(names.schema)}." if names.schema else ""
    return Tables(*(schema + quote(n) for n in (names.records, names.streams, names.meta)))


def pyformat(text: str) -> str:
    """`:name` as `%(name)s`."""
    return _PARAMETER.sub(r"%(\1)s", text)


def build(t: Tables, words: Words) -> Statements:
    """The statements of a store."""
    texts = {**_of_streams(t, words), **_of_records(t, words), **_of_upkeep(t, words)}
    return Statements(**{name: words.rewrite(text) for name, text in texts.items()})


def _of_streams(t: Tables, words: Words) -> Mapping[str, str]:
    columns = "version, seq, expires, token, token_version"
    return {
        "check": f"SELECT version FROM {t.meta} WHERE name = 'threadkeep'",
        "head": f"SELECT {columns} FROM {t.streams} WHERE stream = :stream FOR UPDATE",
        "begin_life": f"INSERT INTO {t.streams} (stream, {columns}) "
        "VALUES (:stream, :version, :seq, :expires, :token, :token_version)",
        "go_on": f"UPDATE {t.streams} SET version = :version, seq = :seq, expires = :expires, "
        "token = :token, token_version = :token_version WHERE stream = :stream",
        "touch": f"UPDATE {t.streams} SET expires = :expires WHERE stream = :stream",
        "end_life": f"DELETE FROM {t.streams} WHERE stream = :stream",
        "streams": f"SELECT stream FROM {t.streams} WHERE stream >= :low "
        f"ORDER BY stream {words.limit}",
    }


def _of_records(t: Tables, words: Words) -> Mapping[str, str]:
    one_kind = "WHERE stream = :stream AND kind = :kind AND seq <= :upto"
    return {
        "drop_all": f"DELETE FROM {t.records} WHERE stream = :stream",
        "drop_range": f"DELETE FROM {t.records} {one_kind}",
        "drop_ids": f"DELETE FROM {t.records} {one_kind} AND id {words.ids}",
        "places": f"SELECT kind, id, seq FROM {t.records} {one_kind} AND id {words.ids}",
    }


def _of_upkeep(t: Tables, words: Words) -> Mapping[str, str]:
    """Nothing is deleted without the lock of its stream, and no sweep waits for one."""
    dead = f"SELECT stream FROM {t.streams} WHERE expires <= :now"
    lock = f"SELECT stream FROM {t.streams} WHERE stream {words.names}"
    theirs = f"stream {words.names}"
    return {
        "dead_streams": f"{dead} {words.limit}",
        "lock_dead": f"{lock} AND expires <= :now ORDER BY stream FOR UPDATE SKIP LOCKED",
        "sweep_streams": words.some_records.format(t.records, theirs),
        "end_lives": f"DELETE FROM {t.streams} WHERE {theirs}",
        "dead_records": f"SELECT stream FROM {t.records} WHERE expires <= :now {words.limit}",
        "lock_streams": f"{lock} ORDER BY stream FOR UPDATE SKIP LOCKED",
        "sweep_records": words.some_records.format(t.records, f"expires <= :now AND {theirs}"),
    }


class ReadText:
    """Builds the one statement that answers several queries: a UNION ALL of short SELECTs.

    One statement is one snapshot in every database here, whatever its isolation.
    Columns: number, id, body, at, expires, seq. Heads of streams have negative numbers, and their
    version in the place of seq.
    """

    def __init__(self, t: Tables, words: Words) -> None:
        self._words = words
        self.build = lru_cache(256)(self._build)
        self._head = (
            f"SELECT {{0}} AS n, stream AS id, {words.null_body} AS body, expires AS at, expires, "
            f"version AS seq FROM {t.streams} "
            "WHERE stream = :s{1} AND (expires IS NULL OR expires > :now)"
        )
        self._page = (
            f"SELECT {{0}} AS n, id, body, at, expires, seq FROM {t.records} "
            "WHERE stream = :s{1} AND kind = :k{0} AND seq > :a{0} AND seq < :b{0} "
            "AND (expires IS NULL OR expires > :now){2} ORDER BY seq{3} {4}"
        )

    def _build(self, streams: int, shape: tuple[tuple[int, bool, str | None], ...]) -> str:
        """For so many streams, and per branch: its stream, newest first?, the test of ids."""
        heads = [self._head.format(-1 - n, n) for n in range(streams)]
        pages = [self._branch(n, *branch) for n, branch in enumerate(shape)]
        return self._words.rewrite(" UNION ALL ".join([*heads, *pages]))

    def _branch(self, n: int, stream: int, newest: bool, ids: str | None) -> str:
        chosen = "" if ids is None else f" AND id {ids}"
        limit = self._words.limit.replace(":limit", f":l{n}")
        text = self._page.format(n, stream, chosen, " DESC" if newest else "", limit)
        return self._words.branch.format(text)
