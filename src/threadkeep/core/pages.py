"""Reads what is of any number, page by page: the records of a kind, the streams of a prefix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from threadkeep.core.engine import Engine
from threadkeep.types import Query, Record

PAGE: Final = 500


def all_records(engine: Engine, stream: str, kind: str, page_size: int = PAGE) -> Iterator[Record]:
    """The records of a kind, oldest first."""
    after: int | None = None
    while True:
        records = engine.read(Query(stream, kind, limit=page_size, after=after))[0].records
        yield from records
        if len(records) < page_size:
            return
        after = records[-1].seq


def stream_pages(engine: Engine, prefix: str, page_size: int = PAGE) -> Iterator[list[str]]:
    """The names of the streams of a prefix, in pages, each once in a page."""
    cursor: Any = None
    while True:
        streams, cursor = engine.streams(prefix, cursor=cursor, limit=page_size)
        yield list(dict.fromkeys(streams))
        if cursor is None:
            return
