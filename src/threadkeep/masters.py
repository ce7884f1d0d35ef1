"""Items that window after window shows: each is read once, and copies of it are handed out."""

from __future__ import annotations

from typing import Any, Final

from threadkeep import codec
from threadkeep.types import Item, Record

_BESIDE: Final = 600  # bytes of an item beside its text, about


class Master:
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
        self._kept: Record | codec.Sketch = record

    def read(self) -> Item:
        """The item, not to be changed, nor to be handed on."""
        if self.item is not None:
            return self.item
        kept = self._kept
        if not isinstance(kept, Record):  # another thread was here
            return codec.drawn(*kept)
        item = codec.read_item(kept)
        sketch = codec.sketch(item)
        self.sendable = codec.is_sendable(kept.body)
        self.plain = sketch is not None and not sketch[1]
        self.item, self._kept = item, sketch or kept
        return item

    def copy(self) -> Item:
        """The item, with nothing in it that anybody else could change."""
        kept = self._kept
        if isinstance(kept, Record):  # not read yet, or nested too deep to be drawn
            self.read()
            kept = self._kept
        return codec.read_item(kept) if isinstance(kept, Record) else codec.drawn(*kept)

    def is_like(self, copy: Item) -> bool:
        """Whether a copy still says what it said when it was made."""
        if self.plain:
            return not copy.tool_calls and not copy.metadata
        return copy == self.read()
