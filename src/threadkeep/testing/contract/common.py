"""Helpers that nearly every contract test uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from threadkeep.protocols import Backend
from threadkeep.types import Page, Query, Record

NOW = 1_700_000_000.0
"""The tests' clock. It lies in the past: a store that uses its own clock fails."""

OpenBackend = Callable[[], Backend]

HOSTILE = (
    "a",
    "A",
    "a ",
    " a",
    "á",  # composed
    "a\u0301",  # the same letter in two code points: another id
    "ß",
    "ss",
    "1",
    "01",
    "1.0",
    "null",
    "None",
    "it's",
    '"quoted"',
    "100%",
    "%s %(x)s {x} $x $1 ?1 :x",
    "_",
    "*",
    "[a-z]?",
    "back\\slash",
    "a/b/../c",
    "{tag}",
    "}",
    "$set",
    "a.b",
    "line\nbreak\r\n\ttab",
    "\x01\x1f\x7f",
    "\u2028\ufeff\uffff",
    "👩‍👩‍👧 🇺🇳",
    "\U0010ffff",
    "שלום",
    "--; DROP TABLE threadkeep",
    "x" * 512,
    "é" * 256,
    "🙂" * 128,
)


def item(id: str, body: str = '{"n":1}', **fields: Any) -> Record:
    """A record of kind `item`, written at `NOW`."""
    return Record(**{"kind": "item", "id": id, "body": body, "at": NOW, **fields})


def items(ids: Iterable[str]) -> list[Record]:
    """Records of kind `item`, one for each id (or letter)."""
    return [item(record_id) for record_id in ids]


def read(
    backend: Backend, stream: str, kind: str = "item", *, now: float = NOW, **options: Any
) -> Page:
    """Read one page."""
    (page,) = backend.read(Query(stream, kind, **options), now=now)
    return page


def ids(backend: Backend, stream: str, kind: str = "item", **options: Any) -> list[str]:
    """The ids of one page."""
    return [record.id for record in read(backend, stream, kind, **options).records]


def list_streams(backend: Backend, prefix: str, limit: int = 1000) -> list[str]:
    """All stream names, listed page by page."""
    stream_names: list[str] = []
    cursor = None
    while True:
        page_names, cursor = backend.streams(prefix, cursor=cursor, limit=limit)
        stream_names += page_names
        if cursor is None:
            return stream_names


def sweep_all(backend: Backend, now: float, limit: int = 1000) -> int:
    """Sweep until nothing remains to reclaim; returns the total."""
    total_count = 0
    while swept_count := backend.sweep(now, limit):
        total_count += swept_count
    return total_count
