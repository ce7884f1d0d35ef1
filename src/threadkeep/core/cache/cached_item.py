"""Items that window after window shows: each is read once, and copies of it are handed out."""

from __future__ import annotations

import dataclasses
import marshal
import operator
from typing import Any, Final

from threadkeep.core import item_codec
from threadkeep.types import Item, Json, Record, is_plain
from threadkeep.types.fast_init import maker

_BESIDE: Final = 600  # bytes of an item beside its text, about
_FIELDS: Final = tuple(field.name for field in dataclasses.fields(Item))
_CALLS, _METADATA = _FIELDS.index("tool_calls"), _FIELDS.index("metadata")
_NOTHING: Final[dict[int, Json]] = {_CALLS: [], _METADATA: {}}
_values = operator.attrgetter(*_FIELDS)
_item = maker(Item)

_Sketch = tuple[list[Any], bytes]
"""An item from which others are made: its fields, and those that can be changed once more."""


class CachedItem:
    """One item: a record until it is asked for; for any number of threads.

    Attributes:
        id: its id in the store.
        item: the item, if it was read already; not to be changed, nor to be handed on.
        seq: its place.
        weight: about the bytes it takes.
        plain: whether it is known that nothing in it can be changed but what is empty.
        sendable: whether it is known that no text in it has a lone surrogate.
        chat: what of it is in a prompt of OpenAI Chat, once that was asked for.
    """

    __slots__ = ("_kept", "chat", "id", "item", "plain", "sendable", "seq", "weight")

    def __init__(self, record: Record) -> None:
        self.id = record.id
        self.seq = record.seq
        self.weight = len(record.body) + _BESIDE
        self.chat: Any = None
        self.plain = self.sendable = False
        self.item: Item | None = None
        self._kept: Record | _Sketch = record

    def read(self) -> Item:
        """The item, not to be changed, nor to be handed on."""
        if self.item is not None:
            return self.item
        kept = self._kept
        if not isinstance(kept, Record):  # another thread was here
            return _drawn(*kept)
        item = item_codec.read_item(kept)
        sketch = _sketch(item)
        self.sendable = _is_sendable(kept.body)
        self.plain = sketch is not None and not sketch[1]
        self.item, self._kept = item, sketch or kept
        return item

    def copy(self) -> Item:
        """The item, with nothing in it that anybody else could change."""
        kept = self._kept
        if isinstance(kept, Record):  # not read yet, or nested too deep to be drawn
            self.read()
            kept = self._kept
        return item_codec.read_item(kept) if isinstance(kept, Record) else _drawn(*kept)

    def is_like(self, copy: Item) -> bool:
        """Whether a copy still says what it said when it was made."""
        if self.plain:
            return not copy.tool_calls and not copy.metadata
        return copy == self.read()


def _sketch(item: Item) -> _Sketch | None:
    """What `_drawn` makes items of; `None` if it is nested too deep for that."""
    values = list(_values(item))
    if is_plain(item) and not item.metadata and item.usage is None:
        return values, b""
    nested = {place: v for place, v in enumerate(values) if isinstance(v, (list, dict))}
    try:
        return values, b"" if nested == _NOTHING else marshal.dumps(nested)
    except ValueError:
        return None


def _drawn(fields: list[Any], nested: bytes) -> Item:
    """An item like the one that was sketched, sharing nothing with it that can be changed."""
    fields = fields.copy()
    if nested:
        for place, value in marshal.loads(nested).items():  # noqa: S302  # its own bytes
            fields[place] = value
    else:
        fields[_CALLS], fields[_METADATA] = [], {}
    return _item(*fields)


def _is_sendable(body: str) -> bool:
    """Whether no text of a record's JSON has a lone surrogate, as a request could not carry it."""
    if "\\ud" in body or "\\uD" in body:
        return False
    if body.isascii():
        return True
    try:
        body.encode("utf-16-le")  # takes no surrogate either, in half the time of UTF-8
    except UnicodeEncodeError:
        return False
    return True
