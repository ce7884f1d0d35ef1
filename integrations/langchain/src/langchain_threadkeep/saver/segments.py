"""The records of long lists: segments of a run, which are never changed.

Segment `k` of run `r` is the record `r.k`; a full group of 32 is merged into one record `r.ck`.
So what an older checkpoint names stays as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from langchain_threadkeep.saver.list_values import RunSpan
from langchain_threadkeep.saver.stored_json import parsed
from threadkeep import Record
from threadkeep.adapters import checkpoints

RUN: Final = "run"
"""The kind of the records of segments."""

GROUP: Final = 32
"""Segments that are merged into one record."""

LARGEST: Final = 200_000
"""Characters of a segment from which a new one begins."""


def segment_ids(spans: Iterable[RunSpan]) -> Iterator[str]:
    """The ids of all records that may hold segments of a list, and what would follow the last."""
    for number, span in enumerate(spans):
        group = span.segment // GROUP
        for chunk in range(group + 1):
            yield f"{span.run}.c{chunk}"
        last = span.segment + 1 if number == 0 else span.segment
        for segment in range(max(0, GROUP * group), last + 1):
            yield f"{span.run}.{segment}"


def unmerged_ids(span: RunSpan) -> Iterator[str]:
    """The ids of segments of full groups, which were too large to be merged."""
    for segment in range(GROUP * (span.segment // GROUP)):
        yield f"{span.run}.{segment}"


def keys_of(spans: Sequence[RunSpan], segments: dict[str, list[str]]) -> tuple[list[str], int]:
    """The keys of a list, and the index at which its last group begins.

    Args:
        spans: of the list.
        segments: the keys of each record, by id.
    """
    keys: list[str] = []
    group_start = -1
    for number, span in zip(range(len(spans) - 1, -1, -1), reversed(spans), strict=True):
        for group in range(span.segment // GROUP + 1):
            if group == span.segment // GROUP and number == 0:
                group_start = len(keys)
            keys += _group_keys(span, group, segments)
        del keys[span.length :]
    return keys, group_start


def is_last(span: RunSpan, segments: Iterable[str]) -> bool:
    """Return True if a segment is the last of its run, by the records that were read."""
    group, ids = span.segment // GROUP, set(segments)
    followed = f"{span.run}.{span.segment + 1}" in ids
    merged = f"{span.run}.c{group}" in ids and span.segment % GROUP != GROUP - 1
    return not followed and not merged


def read_segment(record: Record) -> list[str]:
    """The keys in a record of a run; none if it cannot be read."""
    return [
        key if isinstance(key, str) else json.dumps(key, separators=(",", ":"))
        for key in parsed(record, list) or []
    ]


def _group_keys(span: RunSpan, group: int, segments: dict[str, list[str]]) -> list[str]:
    merged = segments.get(f"{span.run}.c{group}")
    if merged is not None:
        return merged
    numbers = range(GROUP * group, min(GROUP * (group + 1), span.segment + 1))
    return [key for n in numbers for key in segments.get(f"{span.run}.{n}", [])]


def segment_record(id: str, keys: Sequence[str], now: float) -> Record:
    """The record of a segment."""
    body = [json.loads(key) if key.startswith("{") else key for key in keys]
    return Record(RUN, id, checkpoints.dumps(body, "list"), now)


def segment_sizes(keys: Sequence[str]) -> Iterator[int]:
    """How many of the keys go into each segment."""
    size = count = 0
    for key in keys:
        if count and size + len(key) > LARGEST:
            yield count
            size = count = 0
        size += len(key)
        count += 1
    if count:
        yield count
