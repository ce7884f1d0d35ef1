"""Stores a list as it grows: a segment for what is new, or a run on the prefix after an edit.

A list is "the first n elements of run r". Its spans name the run, then the runs it is based on,
each with a length and its last segment.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from langchain_core.messages import BaseMessage

from langchain_threadkeep.saver.list_values import Elements, ListValue, RunSpan
from langchain_threadkeep.saver.segments import (
    GROUP,
    LARGEST,
    RUN,
    segment_record,
    segment_sizes,
)
from threadkeep import Drop, Record

LONG: Final = 8
"""Elements from which a list is stored as a run."""

_MAX_SPANS: Final = 12
"""Runs that a list may be based on before it is written anew."""

_GROWTHS: Final = 2
"""The last steps whose elements are compared by content."""


@dataclass(slots=True)
class Growth:
    """A new list, and the records that store what is new in it."""

    value: ListValue
    put: list[Record] = field(default_factory=list)
    drop: list[Drop] = field(default_factory=list)


def grow(
    old: ListValue | None,
    objects: Sequence[Any],
    elements: Elements,
    is_tip: Callable[[str, int], bool],
    now: float,
) -> Growth:
    """Store a list: on the run of the old one, or on a new run.

    Args:
        old: the list before.
        objects: the elements now.
        elements: their keys.
        is_tip: whether a segment is the last of its run.
        now: epoch seconds.
    """
    keys, fingerprints = elements
    prefix_length = 0 if old is None else _common(old.keys, keys)
    list_messages = [element if isinstance(element, BaseMessage) else None for element in objects]
    list_value = ListValue((), keys, list_messages, fingerprints)
    if old is not None and prefix_length == len(old.keys):
        list_value.steps = (
            (*old.steps[-_GROWTHS + 1 :], prefix_length) if prefix_length < len(keys) else old.steps
        )
        if prefix_length == len(keys):
            list_value.spans, list_value.group = old.spans, old.group
            return Growth(list_value)
        if is_tip(old.spans[0].run, old.spans[0].segment):
            return _append(list_value, old.spans, old.group, prefix_length, now)
    else:
        list_value.steps = (prefix_length,)
    base_spans = _base(old, prefix_length) if old is not None else ()
    if len(base_spans) > _MAX_SPANS:
        base_spans, prefix_length = (), 0
    base_length = base_spans[0].length if base_spans else 0
    return _append(
        list_value,
        (RunSpan(_new_run(), base_length, -1), *base_spans),
        base_length,
        base_length,
        now,
    )


def _append(
    value: ListValue, spans: tuple[RunSpan, ...], group: int, start_index: int, now: float
) -> Growth:
    """Add the elements from `start_index` on to the first of the spans."""
    list_growth = Growth(value)
    run_id, segment_number = spans[0].run, spans[0].segment
    first_index, value.group = start_index, group
    for segment_size in segment_sizes(value.keys[start_index:]):
        segment_number += 1
        if segment_number % GROUP == 0:
            value.group = first_index
        list_growth.put.append(
            segment_record(
                f"{run_id}.{segment_number}",
                value.keys[first_index : first_index + segment_size],
                now,
            )
        )
        first_index += segment_size
        if segment_number % GROUP == GROUP - 1 and value.group >= 0:
            _merge(list_growth, run_id, segment_number, value.keys[value.group : first_index], now)
    value.spans = (RunSpan(run_id, len(value.keys), segment_number), *spans[1:])
    return list_growth


def _merge(growth: Growth, run: str, last: int, keys: list[str], now: float) -> None:
    """Replace a full group of segments by one record, unless that would be large."""
    if sum(map(len, keys)) > LARGEST:
        return
    merged_ids = [f"{run}.{segment}" for segment in range(last - GROUP + 1, last + 1)]
    growth.put = [record for record in growth.put if record.id not in merged_ids]
    growth.put.append(segment_record(f"{run}.c{last // GROUP}", keys, now))
    growth.drop.append(Drop(RUN, merged_ids))


def _base(old: ListValue, prefix_length: int) -> tuple[RunSpan, ...]:
    """The spans of the first elements of a list."""
    base_spans = list(old.spans)
    while base_spans and (base_spans[1].length if len(base_spans) > 1 else 0) >= prefix_length:
        del base_spans[0]
    return (base_spans[0]._replace(length=prefix_length), *base_spans[1:]) if base_spans else ()


def _common(old_keys: Sequence[str], new_keys: Sequence[str]) -> int:
    common_count = 0
    for old_key, new_key in zip(old_keys, new_keys, strict=False):
        if old_key != new_key:
            break
        common_count += 1
    return common_count


def _new_run() -> str:
    return urlsafe_b64encode(os.urandom(6)).decode()
