"""A cache of the newest items of sessions, so that windows need not read them again.

Cached items belong to one version of their stream. They may be used only if the store confirms,
in the same call, that the stream is still at this version.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from threadkeep.core import item_codec
from threadkeep.core.cache.cached_item import CachedItem
from threadkeep.core.cache.generational import MAX_AGE, GenerationalCache
from threadkeep.types import Commit, Drop, Page, Query, Record

INITIAL_LENGTH: Final = 64
"""How many items are cached of a new session."""

_CAPACITY: Final = 8_000_000


class RecentItems(NamedTuple):
    """The newest items of a stream at a version, without a gap.

    Attributes:
        version: of the stream.
        entries: oldest first.
        is_complete: whether there are no older ones.
        reach: how many entries it may hold.
        since: when they were read.
        weight: approximate size in bytes.
    """

    version: int
    entries: tuple[CachedItem, ...]
    is_complete: bool
    reach: int
    since: float
    weight: int

    def before(self, seq: int | None, limit: int) -> tuple[CachedItem, ...] | None:
        """The newest entries, or those before a seq; `None` if not all of them are here."""
        end_index = len(self.entries)
        while seq is not None and end_index and self.entries[end_index - 1].seq >= seq:
            end_index -= 1
        if end_index < limit and not self.is_complete:
            return None
        return self.entries[max(0, end_index - limit) : end_index]

    def with_ids(self, ids: Iterable[str]) -> list[CachedItem] | None:
        """The entries of these ids that exist; `None` if older items may have them."""
        sought_ids = set(ids)
        matches = [entry for entry in self.entries if entry.id in sought_ids]
        return matches if self.is_complete or len(matches) == len(sought_ids) else None

    def after_commit(
        self, put: Sequence[Record], drop: Sequence[Drop], commit: Commit
    ) -> RecentItems | None:
        """The items after a commit; `None` if another commit came or may have come in between."""
        if commit.version != self.version + 1 or len(put) > self.reach:
            return None
        recent_items: RecentItems | None = self
        for deletion in drop:
            recent_items = recent_items and recent_items._without(deletion)
        return recent_items and recent_items._with(put, commit)

    def _without(self, drop: Drop) -> RecentItems | None:
        if drop.kind != "item":
            return None if drop.kind is None else self
        if drop.ids is not None:
            dropped_ids = set(drop.ids)
            return self._only(
                [entry for entry in self.entries if entry.id not in dropped_ids],
                self.is_complete,
            )
        max_seq = drop.upto
        entries = [entry for entry in self.entries if max_seq is not None and entry.seq > max_seq]
        return self._only(
            entries,
            self.is_complete or max_seq is None or len(entries) < len(self.entries),
        )

    def _only(self, entries: Sequence[CachedItem], is_complete: bool) -> RecentItems:
        return self._replace(
            entries=tuple(entries), is_complete=is_complete, weight=_weight(entries)
        )

    def _with(self, records: Sequence[Record], commit: Commit) -> RecentItems | None:
        if any(record.expires is not None for record in records if record.kind == "item"):
            return None  # a record expires by itself
        entries = [
            CachedItem(item_codec.with_seq(record, record_seq))
            for record, record_seq in zip(records, commit.seqs, strict=True)
            if record.kind == "item"
        ]
        if not self._is_before(entries):
            return self._with_replaced(entries, commit.version)
        all_entries, excess_count = (*self.entries, *entries), 0
        weight = self.weight + _weight(entries)
        if len(all_entries) > self.reach:
            excess_count = len(all_entries) - self.reach
            weight -= _weight(all_entries[:excess_count])
            all_entries = all_entries[excess_count:]
        is_complete = self.is_complete and not excess_count
        return RecentItems(commit.version, all_entries, is_complete, self.reach, self.since, weight)

    def _is_before(self, entries: Sequence[CachedItem]) -> bool:
        """Whether all that is here, or was, comes before these entries, in their order."""
        if not self.entries and not self.is_complete:
            return False
        last_seq = self.entries[-1].seq if self.entries else 0
        for entry in entries:
            if entry.seq <= last_seq:
                return False
            last_seq = entry.seq
        return True

    def _with_replaced(self, new_entries: Sequence[CachedItem], version: int) -> RecentItems | None:
        """With items of which some take the place of others; `None` if those are not here."""
        entries = list(self.entries)
        for entry in new_entries:
            newest_seq = entries[-1].seq if entries else 0 if self.is_complete else entry.seq
            entry_index = (
                len(entries) if entry.seq > newest_seq else _position(entries, entry.id, entry.seq)
            )
            if entry_index is None:
                return None  # an older item was put again
            entries[entry_index : entry_index + 1] = [entry]
        excess_count = max(0, len(entries) - self.reach)
        recent_items = self._only(entries[excess_count:], self.is_complete and not excess_count)
        return recent_items._replace(version=version)


class RecentItemsCache:
    """Caches recent items by stream, about 16 MB in all at most; thread-safe."""

    def __init__(self) -> None:
        self._cache: GenerationalCache[str, RecentItems] = GenerationalCache(
            _CAPACITY, attrgetter("weight")
        )

    def clear(self) -> None:
        """Drop all items."""
        self._cache.clear()

    def get(self, stream: str, now: float) -> RecentItems | None:
        """The cached items of a stream, unless they were read too long ago."""
        recent_items = self._cache.get(stream)
        return (
            recent_items
            if recent_items is not None and 0 <= now - recent_items.since < MAX_AGE
            else None
        )

    def put(self, stream: str, recent: RecentItems | None) -> None:
        """Cache the items of a stream; `None` drops them."""
        if recent is None:
            self._cache.drop(stream)
        else:
            self._cache.put(stream, recent)

    def apply_commit(
        self,
        stream: str,
        put: Sequence[Record],
        drop: Sequence[Drop],
        commit: Commit,
        *,
        created_at: float | None = None,
    ) -> None:
        """Update the items of a stream after a commit; `created_at` if it created the stream."""
        recent_items = self._cache.get(stream)
        if created_at is not None and put and put[0].kind == "session":
            recent_items = RecentItems(commit.version - 1, (), True, INITIAL_LENGTH, created_at, 0)
        if recent_items is not None and (put or drop):
            self.put(stream, recent_items.after_commit(put, drop, commit))


def recent_items_of(
    page: Page, query: Query, now: float, newer: Sequence[CachedItem] = ()
) -> RecentItems | None:
    """Recent items from a page of the newest items, or of older ones and the `newer` entries.

    `None` if a record expires by itself, without a commit.
    """
    if any(record.expires is not None for record in page.records):
        return None
    entries = (*map(CachedItem, page.records), *newer)
    query_limit = query.limit or 0
    reach = max(query_limit, len(entries))
    weight = _weight(entries)
    return RecentItems(page.version, entries, len(page.records) < query_limit, reach, now, weight)


def _position(entries: Sequence[CachedItem], id: str, seq: int) -> int | None:
    """The index of the entry that a record with its id and seq takes the place of."""
    return next(
        (index for index, entry in enumerate(entries) if entry.seq == seq and entry.id == id),
        None,
    )


def _weight(entries: Iterable[CachedItem]) -> int:
    return sum([entry.weight for entry in entries])
