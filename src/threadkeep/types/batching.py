"""Splits records into batches that fit into one commit of any store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from threadkeep.types import Record

MAX_RECORDS: Final = 1_000
MAX_BYTES: Final = 4_000_000
_MAX_CHARACTER_BYTES: Final = 4  # bytes of one character


def batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Yield the records in order, in batches of at most 1,000 records and 4 MB of bodies."""
    records = list(records)
    if (
        len(records) <= MAX_RECORDS
        and sum([len(record.body) for record in records]) * _MAX_CHARACTER_BYTES <= MAX_BYTES
    ):
        if records:  # the common case: it fits, and nothing has to be encoded
            yield records
        return
    batch: list[Record] = []
    batch_size = 0
    for record in records:
        record_size = len(record.body) if record.body.isascii() else len(record.body.encode())
        if batch and (len(batch) == MAX_RECORDS or batch_size + record_size > MAX_BYTES):
            yield batch
            batch, batch_size = [], 0
        batch.append(record)
        batch_size += record_size
    if batch:
        yield batch
