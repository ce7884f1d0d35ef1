"""Long lists as runs: growth adds a segment, an edit or a removal opens a run on the prefix.

A list is "the first n elements of run r". Its spans name the run, then the runs it is based on,
each with a length and its last segment. Segment `k` of run `r` is the record `r.k`; a full group
of 32 is merged into one record `r.ck`. Segments are never changed, so that what an older
checkpoint names stays as it was.
"""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from langchain_core.messages import BaseMessage

from langchain_threadkeep.saver.references import fingerprint
from threadkeep import Drop, Record
from threadkeep.adapters import checkpoints

RUN: Final = "run"
"""The kind of the records of segments."""

LONG: Final = 8
"""Elements from which a list is stored as a run."""

_GROUP: Final = 32
"""Segments that are merged into one record."""

_MAX_SPANS: Final = 12
"""Runs that a list may be based on before it is written anew."""

_SEGMENT: Final = 200_000
"""Characters of a segment from which a new one begins."""

_RECENT: Final = 16
"""The elements at the end that are compared by content whatever is known of them."""

_GROWTHS: Final = 2
"""The last steps whose elements are compared by content."""


class Span(NamedTuple):
    """A run as far as a list uses it: up to a length, whose last element is in a segment."""

    run: str
    length: int
    segment: int


@dataclass(slots=True)
class ListValue:
    """A list as this process knows it.

    Attributes:
        spans: its run, then the runs it is based on.
        keys: of its elements: references to messages, or forms as JSON.
        objects: its elements; `None` where only the key is known. Strong references, since the
            identity of an object that was collected is used again.
        prints: fingerprints of the messages.
        group: the index of the first element of the run's last group of segments; -1 = unknown.
        steps: the lengths of the list before its last steps.
    """

    spans: tuple[Span, ...]
    keys: list[str]
    objects: list[Any]
    prints: list[int | None]
    group: int = -1
    steps: tuple[int, ...] = ()

    @property
    def recent(self) -> int:
        """The index from which elements are compared by content."""
        return min(self.steps[0] if self.steps else 0, max(0, len(self.keys) - _RECENT))

    @property
    def complete(self) -> bool:
        """Whether all elements are at hand as they are stored."""
        return all(
            known is not None and fingerprint(element) == known
            for element, known in zip(self.objects, self.prints, strict=True)
        )


@dataclass(slots=True)
class Growth:
    """A new list, and the records that store what is new in it."""

    value: ListValue
    put: list[Record] = field(default_factory=list)
    drop: list[Drop] = field(default_factory=list)


class Elements(NamedTuple):
    """The keys of a new list."""

    keys: list[str]
    prints: list[int | None]


def compare(
    old: ListValue | None,
    objects: Sequence[Any],
    encode: Callable[[Any, int], str],
    *,
    strict: bool,
) -> Elements:
    """The keys of the elements; those of known objects are taken from the old list.

    Args:
        old: the list before.
        objects: the elements now.
        encode: the key of an element at an index.
        strict: compare all elements by content, not only the recent ones.
    """
    known = _Known(old, strict=strict)
    keys: list[str] = []
    prints: list[int | None] = []
    for index, element in enumerate(objects):
        match = known.find(element, index)
        if match is None:
            is_message = isinstance(element, BaseMessage)
            prints.append(fingerprint(element) if is_message else None)
            keys.append(encode(element, index))
        else:
            keys.append(match[0])
            prints.append(match[1])
    return Elements(keys, prints)


class _Known:
    """The messages of a list, found by identity and compared by content where that is due."""

    def __init__(self, old: ListValue | None, *, strict: bool) -> None:
        self._old = old
        self._places: dict[int, int] | None = None
        self._recent = 0 if old is None or strict else old.recent

    def find(self, element: Any, index: int) -> tuple[str, int | None] | None:
        old = self._old
        if old is None or not isinstance(element, BaseMessage):
            return None
        if index >= len(old.objects) or old.objects[index] is not element:
            index = self._place(old, element)
            if index < 0:
                return None
        known = old.prints[index]
        if index >= self._recent and (known is None or fingerprint(element) != known):
            return None
        return old.keys[index], known

    def _place(self, old: ListValue, element: Any) -> int:
        if self._places is None:
            self._places = {id(known): n for n, known in enumerate(old.objects)}
        index = self._places.get(id(element), -1)
        return index if index >= 0 and old.objects[index] is element else -1


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
    kept = [element if isinstance(element, BaseMessage) else None for element in objects]
    value = ListValue((), keys, kept, prints)
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
    return _append(value, (Span(_new_run(), start, -1), *base), start, start, now)


def _append(
    value: ListValue, spans: tuple[Span, ...], group: int, start: int, now: float
) -> Growth:
    """Add the elements from `start` on to the first of the spans."""
    growth = Growth(value)
    run, segment = spans[0].run, spans[0].segment
    first, value.group = start, group
    for size in _sizes(value.keys[start:]):
        segment += 1
        if segment % _GROUP == 0:
            value.group = first
        growth.put.append(_record(f"{run}.{segment}", value.keys[first : first + size], now))
        first += size
        if segment % _GROUP == _GROUP - 1 and value.group >= 0:
            _merge(growth, run, segment, value.keys[value.group : first], now)
    value.spans = (Span(run, len(value.keys), segment), *spans[1:])
    return growth


def _merge(growth: Growth, run: str, last: int, keys: list[str], now: float) -> None:
    """Replace a full group of segments by one record, unless that would be large."""
    if sum(map(len, keys)) > _SEGMENT:
        return
    ids = [f"{run}.{segment}" for segment in range(last - _GROUP + 1, last + 1)]
    growth.put = [record for record in growth.put if record.id not in ids]
    growth.put.append(_record(f"{run}.c{last // _GROUP}", keys, now))
    growth.drop.append(Drop(RUN, ids))


def segment_ids(spans: Iterable[Span]) -> Iterator[str]:
    """The ids of all records that may hold segments of a list, and what would follow the last."""
    for number, span in enumerate(spans):
        group = span.segment // _GROUP
        for chunk in range(group + 1):
            yield f"{span.run}.c{chunk}"
        last = span.segment + 1 if number == 0 else span.segment
        for segment in range(max(0, _GROUP * group), last + 1):
            yield f"{span.run}.{segment}"


def unmerged_ids(span: Span) -> Iterator[str]:
    """The ids of segments of full groups, which were too large to be merged."""
    for segment in range(_GROUP * (span.segment // _GROUP)):
        yield f"{span.run}.{segment}"


def keys_of(spans: Sequence[Span], segments: dict[str, list[str]]) -> tuple[list[str], int]:
    """The keys of a list, and the index at which its last group begins.

    Args:
        spans: of the list.
        segments: the keys of each record, by id.
    """
    keys: list[str] = []
    group_start = -1
    for number, span in zip(range(len(spans) - 1, -1, -1), reversed(spans), strict=True):
        for group in range(span.segment // _GROUP + 1):
            if group == span.segment // _GROUP and number == 0:
                group_start = len(keys)
            keys += _group_keys(span, group, segments)
        del keys[span.length :]
    return keys, group_start


def is_last(span: Span, segments: Iterable[str]) -> bool:
    """Return True if a segment is the last of its run, by the records that were read."""
    group, ids = span.segment // _GROUP, set(segments)
    followed = f"{span.run}.{span.segment + 1}" in ids
    merged = f"{span.run}.c{group}" in ids and span.segment % _GROUP != _GROUP - 1
    return not followed and not merged


def read_segment(record: Record) -> list[str]:
    """The keys in a record of a run."""
    return [
        key if isinstance(key, str) else json.dumps(key, separators=(",", ":"))
        for key in json.loads(record.body)
    ]


def _group_keys(span: Span, group: int, segments: dict[str, list[str]]) -> list[str]:
    merged = segments.get(f"{span.run}.c{group}")
    if merged is not None:
        return merged
    numbers = range(_GROUP * group, min(_GROUP * (group + 1), span.segment + 1))
    return [key for n in numbers for key in segments.get(f"{span.run}.{n}", [])]


def _record(id: str, keys: Sequence[str], now: float) -> Record:
    body = [json.loads(key) if key.startswith("{") else key for key in keys]
    return Record(RUN, id, checkpoints.dumps(body, "list"), now)


def _sizes(keys: Sequence[str]) -> Iterator[int]:
    """How many of the keys go into each segment."""
    size = count = 0
    for key in keys:
        if count and size + len(key) > _SEGMENT:
            yield count
            size = count = 0
        size += len(key)
        count += 1
    if count:
        yield count


def _base(old: ListValue, prefix: int) -> tuple[Span, ...]:
    """The spans of the first elements of a list."""
    spans = list(old.spans)
    while spans and (spans[1].length if len(spans) > 1 else 0) >= prefix:
        del spans[0]
    return (spans[0]._replace(length=prefix), *spans[1:]) if spans else ()


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count


def _new_run() -> str:
    return urlsafe_b64encode(os.urandom(6)).decode()
