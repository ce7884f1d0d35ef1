"""What was said in a session, from its newest items backwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from threadkeep.core import item_codec
from threadkeep.core.cache import recent_items
from threadkeep.core.cache.cached_item import CachedItem
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Item, Page, Query


class RecentReader:
    """The newest items of a session and the older ones behind them, for one verb.

    Where nothing was committed since they were last read or written in this process, the store
    is asked for no more than the session's owner and version.

    Attributes:
        now: the clock's time.
        lent: the items that are not the verb's own, with their masters, by `id()`: it must not
            hand them on, but copies. None, unless it said that it would `borrow`.

    Raises:
        NotOwner: by each method: the session belongs to another user.
    """

    def __init__(self, door: SessionStream, *, borrow: bool = False) -> None:
        self.lent: dict[int, CachedItem] = {}
        self._door = door
        self._borrow = borrow
        self.now = door.engine.now()
        self._tail = door.engine.tails.find(door.stream, self.now)

    def newest(self, limit: int, opening: int = 0) -> tuple[list[Item], list[Item]]:
        """The newest items, and the first ones of all; both oldest first."""
        first = [Query(self._door.stream, "item", opening)] if opening else []
        tail = self._tail
        known = tail.before(None, limit) if tail else None
        opens = self._opening_at(tail.version, first) if tail and known is not None else None
        if known is not None and opens is not None:
            return self._known(known), opens
        query = Query(self._door.stream, "item", limit, newest=True)
        seen = self._door.look(query, *first)
        page, *head = seen.pages
        self._keep(recent_items.read(page, query, self.now) if seen.info else None)
        return _items([page]), _items(head)

    def older(self, before: int, limit: int) -> list[Item]:
        """The items before a seq, oldest first; some of `newest` must have been read."""
        tail = self._tail
        if tail is not None and (known := tail.before(before, limit)) is not None:
            return self._known(known)
        query = Query(self._door.stream, "item", limit, newest=True, before=before)
        page = self._door.look(query).pages[0]
        if tail is not None:
            newer = [entry for entry in tail.entries if entry.seq >= before]
            same = page.version == tail.version
            self._keep(recent_items.read(page, query, tail.since, newer) if same else None)
        return _items([page])

    def _opening_at(self, version: int, first: list[Query]) -> list[Item] | None:
        """What the queries bring, if the session still is at this version."""
        if not first and self._door.saw(version):
            return [] if self._door.is_at(version) else None
        seen = self._door.look(*first)
        return _items(seen.pages) if seen.info is not None and seen.version == version else None

    def _keep(self, tail: recent_items.RecentItems | None) -> None:
        self._tail = tail
        self._door.engine.tails.keep(self._door.stream, tail)

    def _known(self, masters: Sequence[CachedItem]) -> list[Item]:
        if not self._borrow:
            return [master.copy() for master in masters]
        items = [master.item or master.read() for master in masters]
        self.lent.update(zip(map(id, items), masters, strict=True))
        return items


def _items(pages: Iterable[Page]) -> list[Item]:
    return [item_codec.read_item(record) for page in pages for record in page.records]
