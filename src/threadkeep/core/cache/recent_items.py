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
        end = len(self.entries)
        while seq is not None and end and self.entries[end - 1].seq >= seq:
            end -= 1
        if end < limit and not self.is_complete:
            return None
        return self.entries[max(0, end - limit) : end]

    def with_ids(self, ids: Iterable[str]) -> list[CachedItem] | None:
        """The entries of these ids that exist; `None` if older items may have them."""
        sought = set(ids)
        entries = [entry for entry in self.entries if entry.id in sought]
        return entries if self.is_complete or len(entries) == len(sought) else None

    def after_commit(
        self, put: Sequence[Record], drop: Sequence[Drop], commit: Commit
    ) -> RecentItems | None:
        """The items after a commit; `None` if another commit came or may have come in between."""
        if commit.version != self.version + 1 or len(put) > self.reach:
            return None
        remaining: RecentItems | None = self
        for deletion in drop:
            remaining = remaining and remaining._without(deletion)
        return remaining and remaining._with(put, commit)

    def _without(self, drop: Drop) -> RecentItems | None:
        if drop.kind != "item":
            return None if drop.kind is None else self
        if drop.ids is not None:
            ids = set(drop.ids)
            return self._only(
                [entry for entry in self.entries if entry.id not in ids], self.is_complete
            )
        upto = drop.upto
        remaining_entries = [
            entry for entry in self.entries if upto is not None and entry.seq > upto
        ]
        return self._only(
            remaining_entries,
            self.is_complete or upto is None or len(remaining_entries) < len(self.entries),
        )

    def _only(self, entries: Sequence[CachedItem], is_complete: bool) -> RecentItems:
        return self._replace(
            entries=tuple(entries), is_complete=is_complete, weight=_weight(entries)
        )

    def _with(self, put: Sequence[Record], commit: Commit) -> RecentItems | None:
        entries, weight = list(self.entries), self.weight
        for record, seq in zip(put, commit.seqs, strict=True):
            if record.kind != "item":
                continue
            newest = entries[-1].seq if entries else 0 if self.is_complete else seq
            index = len(entries) if seq > newest else _position(entries, record.id, seq)
            if index is None or record.expires is not None:
                return None  # an older item was put again, or a record expires by itself
            entry = CachedItem(item_codec.with_seq(record, seq))
            weight += entry.weight - _weight(entries[index : index + 1])
            entries[index : index + 1] = [entry]
        excess = max(0, len(entries) - self.reach)
        weight -= _weight(entries[:excess])
        is_complete = self.is_complete and not excess
        return RecentItems(
            commit.version, tuple(entries[excess:]), is_complete, self.reach, self.since, weight
        )


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
        recent = self._cache.get(stream)
        return recent if recent is not None and 0 <= now - recent.since < MAX_AGE else None

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
        recent = self._cache.get(stream)
        if created_at is not None and put and put[0].kind == "session":
            recent = RecentItems(commit.version - 1, (), True, INITIAL_LENGTH, created_at, 0)
        if recent is not None and (put or drop):
            self.put(stream, recent.after_commit(put, drop, commit))


def recent_items_of(
    page: Page, query: Query, now: float, newer: Sequence[CachedItem] = ()
) -> RecentItems | None:
    """Recent items from a page of the newest items, or of older ones and the `newer` entries.

    `None` if a record expires by itself, without a commit.
    """
    if any(record.expires is not None for record in page.records):
        return None
    entries = (*map(CachedItem, page.records), *newer)
    limit = query.limit or 0
    reach = max(limit, len(entries))
    weight = _weight(entries)
    return RecentItems(page.version, entries, len(page.records) < limit, reach, now, weight)


def _position(entries: Sequence[CachedItem], id: str, seq: int) -> int | None:
    """The index of the entry that a record with its id and seq takes the place of."""
    return next((n for n, e in enumerate(entries) if e.seq == seq and e.id == id), None)


def _weight(entries: Iterable[CachedItem]) -> int:
    return sum([entry.weight for entry in entries])
