"""Cached items: each is decoded once, and callers get copies."""

from __future__ import annotations

import dataclasses
import marshal
import operator
from typing import Any, Final

from threadkeep.core import item_codec, parts
from threadkeep.types import Item, Json, Record, is_plain
from threadkeep.types.fast_init import draft_class

_OVERHEAD: Final = 600  # bytes of an item without its text, about
_FIELDS: Final = tuple(field.name for field in dataclasses.fields(Item))
_CALLS, _METADATA = _FIELDS.index("tool_calls"), _FIELDS.index("metadata")
_EMPTY_NESTED: Final[dict[int, Json]] = {_CALLS: [], _METADATA: {}}
_values = operator.attrgetter(*_FIELDS)
_Draft = draft_class(Item)

_ItemSketch = tuple[list[Any], bytes]
"""A template of an item: its fields, and the mutable ones once more, marshalled."""


class CachedItem:
    """An item that is decoded from its record when first used; thread-safe.

    Attributes:
        id: its id in the store.
        item: the decoded item, if there is one; must not be changed or handed out.
        seq: its seq.
        weight: approximate size in bytes.
        plain: whether its mutable fields are known to be empty.
        sendable: whether it is known to have no lone surrogate in any text.
        chat: its OpenAI Chat form, once it was computed.
    """

    __slots__ = ("_source", "chat", "id", "item", "plain", "sendable", "seq", "weight")

    def __init__(self, record: Record) -> None:
        self.id = record.id
        self.seq = record.seq
        self.weight = len(record.body) + _OVERHEAD
        self.chat: Any = None
        self.plain = self.sendable = False
        self.item: Item | None = None
        self._source: Record | _ItemSketch = record

    def read(self) -> Item:
        """The item, which must not be changed or handed out."""
        if self.item is not None:
            return self.item
        source = self._source
        if not isinstance(source, Record):  # another thread was here
            return self.copy()
        item = item_codec.read_item(source)
        sketch = _sketch(item)
        self.sendable = _is_sendable(source.body)
        self.plain = sketch is not None and not sketch[1]
        self.item, self._source = item, sketch or source
        return item

    def copy(self) -> Item:
        """A copy of the item that shares nothing mutable with others."""
        source = self._source
        if isinstance(source, Record):  # not decoded yet
            self.read()
            source = self._source
            if isinstance(source, Record):  # too deep for a template
                return item_codec.read_item(source)
        field_values, nested_bytes = source[0].copy(), source[1]
        if nested_bytes:
            for field_index, nested_value in marshal.loads(nested_bytes).items():  # noqa: S302  # its own bytes
                field_values[field_index] = nested_value
        else:
            field_values[_CALLS], field_values[_METADATA] = [], {}
        item_copy: Any = _Draft(*field_values)
        item_copy.__class__ = Item  # here, and not in a call of its own
        return item_copy  # type: ignore[no-any-return]

    def is_like(self, copy: Item) -> bool:
        """Return True if a copy was not changed since it was made."""
        return copy == self.read()


def _sketch(item: Item) -> _ItemSketch | None:
    """The template of copies; `None` if the item is nested too deeply, or not whole."""
    if parts.references_of(item):
        return None
    field_values = list(_values(item))
    if is_plain(item) and not item.metadata and item.usage is None:
        return field_values, b""
    nested_by_index = {
        field_index: field_value
        for field_index, field_value in enumerate(field_values)
        if isinstance(field_value, (list, dict))
    }
    try:
        if nested_by_index == _EMPTY_NESTED:
            return field_values, b""
        return field_values, marshal.dumps(nested_by_index)
    except ValueError:
        return None


def _is_sendable(body_json: str) -> bool:
    """Return True if a record's JSON has no lone surrogate, which a request could not carry."""
    if "\\ud" in body_json or "\\uD" in body_json:
        return False
    if body_json.isascii():
        return True
    try:
        body_json.encode("utf-16-le")  # takes no surrogate either, in half the time of UTF-8
    except UnicodeEncodeError:
        return False
    return True
