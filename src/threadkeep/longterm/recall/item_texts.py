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
        turn_batch = numbers[batch_start : batch_start + _DOCUMENTS_PER_READ]
        turns_to_read = {
            turn
            for turn_number in turn_batch
            for turn in (turn_number, previous_turns[turn_number])
            if turn >= 0
        }
        item_by_turn = _items(engine, synced, sorted(turns_to_read))
        for turn_number in turn_batch:
            if (item := item_by_turn.get(turn_number)) is not None:
                yield (
                    turn_number,
                    passage_text(item, item_by_turn.get(previous_turns[turn_number])),
                )


def _items(engine: Engine, synced: SyncedIndex, document_numbers: Sequence[int]) -> dict[int, Item]:
    recall_index, item_queries = synced.index, []
    for turn_number in document_numbers:
        session_stream_name = synced.sessions.stream(
            recall_index.origin_names.values[recall_index.origins[turn_number]]
        )
        seq = recall_index.seqs[turn_number]
        item_queries.append(
            Query(session_stream_name, "item", limit=1, after=seq - 1 or None, before=seq + 1)
        )
    item_pages = engine.read(*item_queries) if item_queries else []
    return {
        turn_number: item_codec.read_item(item_page.records[0])
        for turn_number, item_page in zip(document_numbers, item_pages, strict=True)
        if item_page.records
    }
