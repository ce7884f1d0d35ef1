"""The newest items of sessions as they were last read or written, so that windows need not be.

A tail is of one version of its stream, and is worth nothing unless the store says, in the very
call that uses it, that the stream is still at this version.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from threadkeep.core import item_codec
from threadkeep.core.cache.cached_item import CachedItem
from threadkeep.core.cache.generational import AGE, GenerationalCache
from threadkeep.types import Commit, Drop, Page, Query, Record

REACH: Final = 64
"""How many items the tail of a new session is to hold."""

_ROOM: Final = 8_000_000


class RecentItems(NamedTuple):
    """The newest items of a stream at a version, without a gap.

    Attributes:
        version: of the stream.
        entries: oldest first.
        whole: whether there are no older ones.
        reach: how many it is to hold.
        since: when they were read.
        weight: about the bytes they take.
    """

    version: int
    entries: tuple[CachedItem, ...]
    whole: bool
    reach: int
    since: float
    weight: int

    def before(self, seq: int | None, limit: int) -> tuple[CachedItem, ...] | None:
        """The newest entries, or those before a seq; `None` if not all of them are here."""
        end = len(self.entries)
        while seq is not None and end and self.entries[end - 1].seq >= seq:
            end -= 1
        if end < limit and not self.whole:
            return None
        return self.entries[max(0, end - limit) : end]

    def with_ids(self, ids: Iterable[str]) -> list[CachedItem] | None:
        """The entries of these ids that exist; `None` if others might stand further back."""
        sought = set(ids)
        entries = [entry for entry in self.entries if entry.id in sought]
        return entries if self.whole or len(entries) == len(sought) else None

    def after(
        self, put: Sequence[Record], drop: Sequence[Drop], done: Commit
    ) -> RecentItems | None:
        """The tail once this is committed; `None` if something else came between, or might have."""
        if done.version != self.version + 1 or len(put) > self.reach:
            return None
        left: RecentItems | None = self
        for one in drop:
            left = left and left._without(one)
        return left and left._with(put, done)

    def _without(self, drop: Drop) -> RecentItems | None:
        if drop.kind != "item":
            return None if drop.kind is None else self
        if drop.ids is not None:
            ids = set(drop.ids)
            return self._only([one for one in self.entries if one.id not in ids], self.whole)
        upto = drop.upto
        kept = [one for one in self.entries if upto is not None and one.seq > upto]
        return self._only(kept, self.whole or upto is None or len(kept) < len(self.entries))

    def _only(self, entries: Sequence[CachedItem], whole: bool) -> RecentItems:
        return self._replace(entries=tuple(entries), whole=whole, weight=_weight(entries))

    def _with(self, put: Sequence[Record], done: Commit) -> RecentItems | None:
        entries, weight = list(self.entries), self.weight
        for record, seq in zip(put, done.seqs, strict=True):
            if record.kind != "item":
                continue
            newest = entries[-1].seq if entries else 0 if self.whole else seq
            if seq <= newest or record.expires is not None:
                return None  # an id that is put again, or a record that will go by itself
            entries.append(entry := CachedItem(item_codec.placed(record, seq)))
            weight += entry.weight
        over = max(0, len(entries) - self.reach)
        weight -= _weight(entries[:over])
        whole = self.whole and not over
        return RecentItems(
            done.version, tuple(entries[over:]), whole, self.reach, self.since, weight
        )


class RecentItemsCache:
    """The tails used last, of about 16 MB in all at most; for any number of threads."""

    def __init__(self) -> None:
        self._known: GenerationalCache[str, RecentItems] = GenerationalCache(
            _ROOM, attrgetter("weight")
        )

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()

    def find(self, stream: str, now: float) -> RecentItems | None:
        """What is known of a stream, unless it was read too long ago."""
        found = self._known.get(stream)
        return found if found is not None and 0 <= now - found.since < AGE else None

    def keep(self, stream: str, tail: RecentItems | None) -> None:
        """Know this of a stream from now on."""
        if tail is None:
            self._known.drop(stream)
        else:
            self._known.put(stream, tail)

    def follow(
        self,
        stream: str,
        put: Sequence[Record],
        drop: Sequence[Drop],
        done: Commit,
        *,
        born: float | None = None,
    ) -> None:
        """Take part in a commit to a stream; one that was `born` with it, then, has no other."""
        tail = self._known.get(stream)
        if born is not None and put and put[0].kind == "session":
            tail = RecentItems(done.version - 1, (), True, REACH, born, 0)
        if tail is not None and (put or drop):
            self.keep(stream, tail.after(put, drop, done))


def read(
    page: Page, query: Query, now: float, newer: Sequence[CachedItem] = ()
) -> RecentItems | None:
    """What a page of the newest items says, or one of older ones, of what comes right behind it.

    `None` if something of it will go by itself, without a commit.
    """
    if any(record.expires is not None for record in page.records):
        return None
    entries = (*map(CachedItem, page.records), *newer)
    limit = query.limit or 0
    reach = max(limit, len(entries))
    weight = _weight(entries)
    return RecentItems(page.version, entries, len(page.records) < limit, reach, now, weight)


def _weight(entries: Iterable[CachedItem]) -> int:
    return sum([entry.weight for entry in entries])
