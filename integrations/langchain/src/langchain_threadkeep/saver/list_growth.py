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
    keys, prints = elements
    prefix = 0 if old is None else _common(old.keys, keys)
    messages = [element if isinstance(element, BaseMessage) else None for element in objects]
    value = ListValue((), keys, messages, prints)
    if old is not None and prefix == len(old.keys):
        value.steps = (*old.steps[-_GROWTHS + 1 :], prefix) if prefix < len(keys) else old.steps
        if prefix == len(keys):
            value.spans, value.group = old.spans, old.group
            return Growth(value)
        if is_tip(old.spans[0].run, old.spans[0].segment):
            return _append(value, old.spans, old.group, prefix, now)
    else:
        value.steps = (prefix,)
    base = _base(old, prefix) if old is not None else ()
    if len(base) > _MAX_SPANS:
        base, prefix = (), 0
    start = base[0].length if base else 0
    return _append(value, (RunSpan(_new_run(), start, -1), *base), start, start, now)


def _append(
    value: ListValue, spans: tuple[RunSpan, ...], group: int, start: int, now: float
) -> Growth:
    """Add the elements from `start` on to the first of the spans."""
    growth = Growth(value)
    run, segment = spans[0].run, spans[0].segment
    first, value.group = start, group
    for size in segment_sizes(value.keys[start:]):
        segment += 1
        if segment % GROUP == 0:
            value.group = first
        growth.put.append(segment_record(f"{run}.{segment}", value.keys[first : first + size], now))
        first += size
        if segment % GROUP == GROUP - 1 and value.group >= 0:
            _merge(growth, run, segment, value.keys[value.group : first], now)
    value.spans = (RunSpan(run, len(value.keys), segment), *spans[1:])
    return growth


def _merge(growth: Growth, run: str, last: int, keys: list[str], now: float) -> None:
    """Replace a full group of segments by one record, unless that would be large."""
    if sum(map(len, keys)) > LARGEST:
        return
    ids = [f"{run}.{segment}" for segment in range(last - GROUP + 1, last + 1)]
    growth.put = [record for record in growth.put if record.id not in ids]
    growth.put.append(segment_record(f"{run}.c{last // GROUP}", keys, now))
    growth.drop.append(Drop(RUN, ids))


def _base(old: ListValue, prefix: int) -> tuple[RunSpan, ...]:
    """The spans of the first elements of a list."""
    spans = list(old.spans)
    while spans and (spans[1].length if len(spans) > 1 else 0) >= prefix:
        del spans[0]
    return (spans[0]._replace(length=prefix), *spans[1:]) if spans else ()


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    count = 0
    for old_key, new_key in zip(first, second, strict=False):
        if old_key != new_key:
            break
        count += 1
    return count


def _new_run() -> str:
    return urlsafe_b64encode(os.urandom(6)).decode()
