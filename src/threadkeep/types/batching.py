"""Many records as commits that every store takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from threadkeep.types import Record

RECORDS: Final = 1_000
BYTES: Final = 4_000_000
_WIDEST: Final = 4  # bytes of one character


def batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    """The records in order, in runs of at most 1,000 records and 4 MB of bodies."""
    records = list(records)
    if len(records) <= RECORDS and sum([len(one.body) for one in records]) * _WIDEST <= BYTES:
        if records:  # nearly always: nothing needs to be encoded to see that it fits
            yield records
        return
    batch: list[Record] = []
    size = 0
    for record in records:
        bytes_ = len(record.body) if record.body.isascii() else len(record.body.encode())
        if batch and (len(batch) == RECORDS or size + bytes_ > BYTES):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += bytes_
    if batch:
        yield batch
