"""Reads records in few round trips, and notes at which versions of their streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from threadkeep import Query, Record
from threadkeep.adapters.shared import RecordStore

_QUERIES: Final = 20
"""Queries in one round trip."""


class RecordReader:
    """Reads for one purpose.

    Args:
        store: the records.
    """

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._versions: dict[str, set[int]] = {}

    def read(self, queries: Sequence[Query]) -> Iterator[Record]:
        """All records that answer the queries."""
        for batch_start in range(0, len(queries), _QUERIES):
            query_batch = queries[batch_start : batch_start + _QUERIES]
            for query, record_page in zip(query_batch, self._store.read(*query_batch), strict=True):
                self._versions.setdefault(query.stream, set()).add(record_page.version)
                yield from record_page.records

    def versions(self, stream: str) -> set[int]:
        """The versions of a stream that something was read at."""
        return self._versions.get(stream, set())
