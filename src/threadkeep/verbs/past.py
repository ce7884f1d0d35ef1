"""What was said in a session, from its newest items backwards."""

from __future__ import annotations

from collections.abc import Iterable

from threadkeep import codec, tails
from threadkeep.ownership import Door
from threadkeep.types import Item, Page, Query


class Past:
    """The newest items of a session and the older ones behind them, for one verb.

    Where nothing was committed since they were last read or written in this process, the store
    is asked for no more than the session's owner and version.

    Raises:
        NotOwner: by each method: the session belongs to another user.
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self._now = door.engine.now()
        self._tail = door.engine.tails.find(door.stream, self._now)

    def newest(self, limit: int, opening: int = 0) -> tuple[list[Item], list[Item]]:
        """The newest items, and the first ones of all; both oldest first."""
        first = [Query(self._door.stream, "item", opening)] if opening else []
        tail = self._tail
        known = tail.before(None, limit) if tail else None
        if tail is not None and known is not None:
            seen = self._door.look(*first)
            if seen.info is not None and seen.version == tail.version:
                return _copies(known), _items(seen.pages)
        query = Query(self._door.stream, "item", limit, newest=True)
        seen = self._door.look(query, *first)
        page, *head = seen.pages
        self._keep(tails.read(page, query, self._now) if seen.info else None)
        return _items([page]), _items(head)

    def older(self, before: int, limit: int) -> list[Item]:
        """The items before a seq, oldest first; some of `newest` must have been read."""
        tail = self._tail
        if tail is not None and (known := tail.before(before, limit)) is not None:
            return _copies(known)
        query = Query(self._door.stream, "item", limit, newest=True, before=before)
        page = self._door.look(query).pages[0]
        if tail is not None:
            newer = [entry for entry in tail.entries if entry.seq >= before]
            same = page.version == tail.version
            self._keep(tails.read(page, query, tail.since, newer) if same else None)
        return _items([page])

    def _keep(self, tail: tails.Tail | None) -> None:
        self._tail = tail
        self._door.engine.tails.keep(self._door.stream, tail)


def _copies(entries: Iterable[tails.Entry]) -> list[Item]:
    return [entry.copy() for entry in entries]


def _items(pages: Iterable[Page]) -> list[Item]:
    return [codec.read_item(record) for page in pages for record in page.records]
