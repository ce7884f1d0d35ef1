"""The texts of documents, read from the store: an index keeps none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from threadkeep.core import item_codec
from threadkeep.core.engine import Engine
from threadkeep.longterm.recall.sync import SyncedIndex
from threadkeep.longterm.recall.vectors import passage_text
from threadkeep.types import Item, Query

_DOCUMENTS_PER_READ: Final = 50


def passages(
    engine: Engine, synced: SyncedIndex, numbers: Sequence[int]
) -> Iterator[tuple[int, str]]:
    """The texts of turns that are still there, each behind what was said before it."""
    before = synced.index.before
    for start in range(0, len(numbers), _DOCUMENTS_PER_READ):
        batch = numbers[start : start + _DOCUMENTS_PER_READ]
        needed = {n for number in batch for n in (number, before[number]) if n >= 0}
        items = _items(engine, synced, sorted(needed))
        for number in batch:
            if (item := items.get(number)) is not None:
                yield number, passage_text(item, items.get(before[number]))


def _items(engine: Engine, synced: SyncedIndex, numbers: Sequence[int]) -> dict[int, Item]:
    index, queries = synced.index, []
    for n in numbers:
        stream = synced.sessions.stream(index.origin_names.values[index.origins[n]])
        seq = index.seqs[n]
        queries.append(Query(stream, "item", limit=1, after=seq - 1 or None, before=seq + 1))
    pages = engine.read(*queries) if queries else []
    return {
        n: item_codec.read_item(page.records[0])
        for n, page in zip(numbers, pages, strict=True)
        if page.records
    }
