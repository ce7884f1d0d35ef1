"""Read the newest items of a history, page by page."""

from __future__ import annotations

from collections.abc import Callable

from threadkeep.types import Item

Fetch = Callable[[int, int], list[Item]]
"""The items before a seq: `fetch(before, limit)`, oldest first."""


class PageReader:
    """The newest items of a history, read page by page as far as `lookback`.

    Attributes:
        items: what was read so far, oldest first.
        more: whether older ones may be read.
        complete: whether there are no older ones.
    """

    def __init__(self, page: list[Item], fetch: Fetch, size: int, lookback: int) -> None:
        self.items = page
        self._fetch, self._size, self._lookback = fetch, size, lookback
        self.more = bool(page) and size <= len(page) < lookback
        self.complete = len(page) < size

    def read_on(self) -> None:
        """Read a larger page of older items."""
        self._size = min(self._size * 2, 500, self._lookback - len(self.items))
        older_items = self._fetch(self.items[0].seq, self._size)
        self.items = older_items + self.items
        self.complete = len(older_items) < self._size
        self.more = self._size <= len(older_items) and len(self.items) < self._lookback

    def find(self, seq: int) -> Item | None:
        """The item at a position, read by itself if it is older than `items`."""
        if self.items and seq < self.items[0].seq:
            older_items = self._fetch(seq + 1, 1)
            return older_items[-1] if older_items and older_items[-1].seq == seq else None
        return next((item for item in self.items if item.seq == seq), None)

    def after(self, opening: list[Item]) -> list[Item]:
        """The items read so far, preceded by the opening items that were not reached."""
        if not opening or not self.items:
            return self.items
        first_seq = self.items[0].seq
        return [item for item in opening if item.seq < first_seq] + self.items
