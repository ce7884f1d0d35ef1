"""Reads a session from its newest items backwards, through the cache."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from threadkeep.core import item_codec
from threadkeep.core.cache import recent_items
from threadkeep.core.cache.cached_item import CachedItem
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Item, Page, Query


class RecentReader:
    """Reads the newest items of a session, then older ones, for one verb.

    If nothing was committed since this process last read or wrote them, only the session's owner
    and version are read.

    Attributes:
        now: the clock's time.
        borrowed: with `borrow=True`, the returned items that belong to the cache, by `id()`. The
            caller must copy them before it hands them out.

    Raises:
        NotOwner: in each method, if the session belongs to another user.
    """

    def __init__(self, stream: SessionStream, *, borrow: bool = False) -> None:
        self.borrowed: dict[int, CachedItem] = {}
        self._stream = stream
        self._borrow = borrow
        self.now = stream.engine.now()
        self._recent = stream.engine.recent_items.get(stream.stream_name, self.now)

    def newest(self, limit: int, first_limit: int = 0) -> tuple[list[Item], list[Item]]:
        """The newest items, and the first items of the session; both oldest first."""
        session_stream_name = self._stream.stream_name
        first_queries = [Query(session_stream_name, "item", first_limit)] if first_limit else []
        recent_cache = self._recent
        cached_items = recent_cache.before(None, limit) if recent_cache else None
        first_items = (
            self._first_at(recent_cache.version, first_queries)
            if recent_cache and cached_items is not None
            else None
        )
        if cached_items is not None and first_items is not None:
            return self._items_of(cached_items), first_items
        newest_query = Query(session_stream_name, "item", limit, newest=True)
        snapshot = self._stream.read(newest_query, *first_queries)
        newest_page, *first_pages = snapshot.pages
        self._remember(
            recent_items.recent_items_of(newest_page, newest_query, self.now)
            if snapshot.info
            else None
        )
        return _items([newest_page]), _items(first_pages)

    def older(self, before: int, limit: int) -> list[Item]:
        """The items before a seq, oldest first; some of `newest` must have been read."""
        recent_cache = self._recent
        if (
            recent_cache is not None
            and (cached_items := recent_cache.before(before, limit)) is not None
        ):
            return self._items_of(cached_items)
        query = Query(self._stream.stream_name, "item", limit, newest=True, before=before)
        older_page = self._stream.read(query).pages[0]
        if recent_cache is not None:
            newer_entries = [entry for entry in recent_cache.entries if entry.seq >= before]
            is_same_version = older_page.version == recent_cache.version
            self._remember(
                recent_items.recent_items_of(older_page, query, recent_cache.since, newer_entries)
                if is_same_version
                else None
            )
        return _items([older_page])

    def _first_at(self, version: int, first_queries: list[Query]) -> list[Item] | None:
        """The items of the queries, if the session is still at this version."""
        if not first_queries and self._stream.knows(version):
            return [] if self._stream.is_current(version) else None
        snapshot = self._stream.read(*first_queries)
        return (
            _items(snapshot.pages)
            if snapshot.info is not None and snapshot.version == version
            else None
        )

    def _remember(self, recent: recent_items.RecentItems | None) -> None:
        self._recent = recent
        self._stream.engine.recent_items.put(self._stream.stream_name, recent)

    def _items_of(self, entries: Sequence[CachedItem]) -> list[Item]:
        if not self._borrow:
            return [entry.copy() for entry in entries]
        items = [entry.item or entry.read() for entry in entries]
        self.borrowed.update(zip(map(id, items), entries, strict=True))
        return items


def _items(pages: Iterable[Page]) -> list[Item]:
    return [item_codec.read_item(record) for page in pages for record in page.records]
