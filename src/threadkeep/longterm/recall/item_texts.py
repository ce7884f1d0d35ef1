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
    previous_turns = synced.index.before
    for batch_start in range(0, len(numbers), _DOCUMENTS_PER_READ):
        batch = numbers[batch_start : batch_start + _DOCUMENTS_PER_READ]
        turns_to_read = {
            turn
            for turn_number in batch
            for turn in (turn_number, previous_turns[turn_number])
            if turn >= 0
        }
        items = _items(engine, synced, sorted(turns_to_read))
        for turn_number in batch:
            if (item := items.get(turn_number)) is not None:
                yield turn_number, passage_text(item, items.get(previous_turns[turn_number]))


def _items(engine: Engine, synced: SyncedIndex, numbers: Sequence[int]) -> dict[int, Item]:
    index, queries = synced.index, []
    for turn_number in numbers:
        session_stream = synced.sessions.stream(
            index.origin_names.values[index.origins[turn_number]]
        )
        seq = index.seqs[turn_number]
        queries.append(
            Query(session_stream, "item", limit=1, after=seq - 1 or None, before=seq + 1)
        )
    pages = engine.read(*queries) if queries else []
    return {
        turn_number: item_codec.read_item(page.records[0])
        for turn_number, page in zip(numbers, pages, strict=True)
        if page.records
    }
