"""Reads what is of any number, page by page: the records of a kind, the streams of a prefix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from threadkeep.core.engine import Engine
from threadkeep.types import Query, Record

PAGE: Final = 500


def all_records(engine: Engine, stream: str, kind: str, page_size: int = PAGE) -> Iterator[Record]:
    """The records of a kind, oldest first."""
    last_seq: int | None = None
    while True:
        records = engine.read(Query(stream, kind, limit=page_size, after=last_seq))[0].records
        yield from records
        if len(records) < page_size:
            return
        last_seq = records[-1].seq


def stream_pages(engine: Engine, prefix: str, page_size: int = PAGE) -> Iterator[list[str]]:
    """The names of the streams of a prefix, in pages, each once in a page."""
    cursor: Any = None
    while True:
        stream_names, cursor = engine.streams(prefix, cursor=cursor, limit=page_size)
        yield list(dict.fromkeys(stream_names))
        if cursor is None:
            return
