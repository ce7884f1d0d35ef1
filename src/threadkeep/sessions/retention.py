"""Retention: deletes the items that the policies of `retain` do not keep, right after a write."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from threadkeep.sessions import recall_segments
from threadkeep.sessions.read import ALL, choose_window, older_items
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Item

PATIENCE: Final = 10
"""How many times the items that `retain` keeps may stay while extraction has not read them."""

_CHECK_INTERVAL: Final = 16
_NOTICES_PAGE: Final = 32


def apply_retention(stream: SessionStream, seqs: Sequence[int]) -> None:
    """Delete the items that are older than all those `retain` keeps.

    Older items are read until the policies need no more. If a model extracts from sessions, items
    it has not read yet stay, up to `PATIENCE` times as many as `retain` keeps.
    """
    retained_items = choose_window(
        stream, stream.engine.settings.retain, ALL, None, shorten=False, load_large=False
    )
    first_seq = _first_to_stay(stream, retained_items[0].seq) if retained_items else None
    if first_seq is None:
        return
    max_seq = first_seq - 1
    if (listener := stream.engine.listener) is not None and stream.generation is not None:
        extracted_seq = listener.upto(stream.id, stream.owner, stream.generation)
        max_seq = min(max_seq, max(extracted_seq, _patience_limit(stream, retained_items, seqs)))
    stream.trim(max_seq)
    recall_segments.drop_touched(stream.engine, stream.owner, stream.id, upto=max_seq)


def _first_to_stay(stream: SessionStream, retained_seq: int) -> int | None:
    """The seq of the first item to stay; `None` = nothing is older.

    Policies do not see notices; those in front of the oldest item that is retained belong to it.
    """
    first_seq, page_size = retained_seq, 1
    while older_page := older_items(stream)(first_seq, page_size):
        adjacent_notices = list(takewhile(lambda item: item.type == "notice", reversed(older_page)))
        first_seq = adjacent_notices[-1].seq if adjacent_notices else first_seq
        if len(adjacent_notices) < len(older_page):
            return first_seq
        page_size = _NOTICES_PAGE
    return None


def _patience_limit(stream: SessionStream, items: Sequence[Item], seqs: Sequence[int]) -> int:
    """The seq up to which items exceed `PATIENCE`; rarely checked, since it reads many items."""
    if seqs and seqs[-1] % _CHECK_INTERVAL >= len(seqs):
        return 0
    allowed_count = (PATIENCE - 1) * len(items)
    older_page = older_items(stream)(items[0].seq, allowed_count + 1)
    return older_page[0].seq if len(older_page) > allowed_count else 0
