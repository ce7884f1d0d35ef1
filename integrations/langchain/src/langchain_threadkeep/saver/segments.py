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
    for span_index, span in enumerate(spans):
        last_group_number = span.segment // GROUP
        for group_number in range(last_group_number + 1):
            yield f"{span.run}.c{group_number}"
        last_segment_number = span.segment + 1 if span_index == 0 else span.segment
        for segment_number in range(max(0, GROUP * last_group_number), last_segment_number + 1):
            yield f"{span.run}.{segment_number}"


def unmerged_ids(span: RunSpan) -> Iterator[str]:
    """The ids of segments of full groups, which were too large to be merged."""
    for segment_number in range(GROUP * (span.segment // GROUP)):
        yield f"{span.run}.{segment_number}"


def keys_of(spans: Sequence[RunSpan], segments: dict[str, list[str]]) -> tuple[list[str], int]:
    """The keys of a list, and the index at which its last group begins.

    Args:
        spans: of the list.
        segments: the keys of each record, by id.
    """
    element_keys: list[str] = []
    group_start_index = -1
    for span_index, span in zip(range(len(spans) - 1, -1, -1), reversed(spans), strict=True):
        for group_number in range(span.segment // GROUP + 1):
            if group_number == span.segment // GROUP and span_index == 0:
                group_start_index = len(element_keys)
            element_keys += _group_keys(span, group_number, segments)
        del element_keys[span.length :]
    return element_keys, group_start_index


def is_last(span: RunSpan, segments: Iterable[str]) -> bool:
    """Return True if a segment is the last of its run, by the records that were read."""
    group_number, record_ids = span.segment // GROUP, set(segments)
    is_followed = f"{span.run}.{span.segment + 1}" in record_ids
    is_merged = f"{span.run}.c{group_number}" in record_ids and span.segment % GROUP != GROUP - 1
    return not is_followed and not is_merged


def read_segment(record: Record) -> list[str]:
    """The keys in a record of a run; none if it cannot be read."""
    return [
        key if isinstance(key, str) else json.dumps(key, separators=(",", ":"))
        for key in parsed(record, list) or []
    ]


def _group_keys(span: RunSpan, group_number: int, segments: dict[str, list[str]]) -> list[str]:
    merged_keys = segments.get(f"{span.run}.c{group_number}")
    if merged_keys is not None:
        return merged_keys
    segment_numbers = range(GROUP * group_number, min(GROUP * (group_number + 1), span.segment + 1))
    return [key for number in segment_numbers for key in segments.get(f"{span.run}.{number}", [])]


def segment_record(id: str, keys: Sequence[str], now: float) -> Record:
    """The record of a segment."""
    segment_keys = [json.loads(key) if key.startswith("{") else key for key in keys]
    return Record(RUN, id, checkpoints.dumps(segment_keys, "list"), now)


def segment_sizes(keys: Sequence[str]) -> Iterator[int]:
    """How many of the keys go into each segment."""
    total_length = key_count = 0
    for key in keys:
        if key_count and total_length + len(key) > LARGEST:
            yield key_count
            total_length = key_count = 0
        total_length += len(key)
        key_count += 1
    if key_count:
        yield key_count
