"""Postings of the blocks of an index, merged, and remembered while they are asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from threadkeep.longterm.recall.postings import Postings
from threadkeep.longterm.recall.segments.block import Block

_MAX_CACHED: Final = 1_000_000  # postings that are remembered, six bytes each


class BlockPostings:
    """The postings of blocks, each stem's as one.

    Attributes:
        cached_count: how many are remembered.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._postings_by_stem: OrderedDict[str, Postings] = OrderedDict()  # those asked for lately
        self.cached_count = 0

    def of_stem(self, stem: str) -> Postings:
        """Where a stem occurs in any block; do not change it."""
        merged_postings = self._postings_by_stem.get(stem)
        if merged_postings is None:
            merged_postings = self._postings_by_stem[stem] = self._merged(stem)
            self.cached_count += len(merged_postings)
            while self.cached_count > _MAX_CACHED and len(self._postings_by_stem) > 1:
                _, oldest_postings = self._postings_by_stem.popitem(last=False)
                self.cached_count -= len(oldest_postings)
        self._postings_by_stem.move_to_end(stem)
        return merged_postings

    def clear(self) -> None:
        """Forget what is remembered, as there is another block."""
        self._postings_by_stem.clear()
        self.cached_count = 0

    def _merged(self, stem: str) -> Postings:
        merged_postings = Postings()
        for block in self._blocks:
            if block_postings := block.postings(stem):
                merged_postings = merged_postings + block_postings
        return merged_postings
