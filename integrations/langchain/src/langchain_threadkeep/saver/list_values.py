"""Long lists as this process knows them, and how the elements of a new list are recognised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from langchain_core.messages import BaseMessage

from langchain_threadkeep.saver.references import fingerprint

_RECENT: Final = 16
"""The elements at the end that are compared by content whatever is known of them."""


class RunSpan(NamedTuple):
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

    spans: tuple[RunSpan, ...]
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
            stored_fingerprint is not None and fingerprint(element) == stored_fingerprint
            for element, stored_fingerprint in zip(self.objects, self.prints, strict=True)
        )


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
    earlier_messages = _EarlierMessages(old, strict=strict)
    element_keys: list[str] = []
    fingerprints: list[int | None] = []
    for element_index, element in enumerate(objects):
        element_match = earlier_messages.find(element, element_index)
        if element_match is None:
            is_message = isinstance(element, BaseMessage)
            fingerprints.append(fingerprint(element) if is_message else None)
            element_keys.append(encode(element, element_index))
        else:
            element_keys.append(element_match[0])
            fingerprints.append(element_match[1])
    return Elements(element_keys, fingerprints)


class _EarlierMessages:
    """The messages of a list, found by identity and compared by content where that is due."""

    def __init__(self, old: ListValue | None, *, strict: bool) -> None:
        self._old = old
        self._places: dict[int, int] | None = None
        self._recent = 0 if old is None or strict else old.recent

    def find(self, element: Any, index: int) -> tuple[str, int | None] | None:
        old_list = self._old
        if old_list is None or not isinstance(element, BaseMessage):
            return None
        if index >= len(old_list.objects) or old_list.objects[index] is not element:
            index = self._place(old_list, element)
            if index < 0:
                return None
        old_fingerprint = old_list.prints[index]
        if index >= self._recent and (
            old_fingerprint is None or fingerprint(element) != old_fingerprint
        ):
            return None
        return old_list.keys[index], old_fingerprint

    def _place(self, old: ListValue, element: Any) -> int:
        if self._places is None:
            self._places = {
                id(old_element): old_index for old_index, old_element in enumerate(old.objects)
            }
        element_index = self._places.get(id(element), -1)
        return element_index if element_index >= 0 and old.objects[element_index] is element else -1
