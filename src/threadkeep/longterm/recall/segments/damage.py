"""What is done about segments of which a piece is gone or damaged."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress

from threadkeep.core.engine import Engine
from threadkeep.errors import Conflict
from threadkeep.sessions import recall_segments
from threadkeep.sessions.recall_segments import Heads, SegmentHead


def drop(engine: Engine, user: str, known_heads: Heads, piece: str) -> None:
    """Drop the segment of a piece, unless others changed the kept index just now."""
    segment_id = piece.partition(".")[0]
    stored_heads = recall_segments.read(engine, user)
    damaged_heads = [segment for segment in stored_heads.segments if segment.id == segment_id]
    if damaged_heads:
        with suppress(Conflict):
            recall_segments.drop(engine, user, stored_heads, damaged_heads)
            log(engine, known_heads, damaged_heads)


def log(engine: Engine, known_heads: Heads, damaged_heads: Sequence[SegmentHead]) -> None:
    """Say that segments cannot be read, unless their time was over."""
    if damaged_heads and engine.settings.ttl is None:
        _log.warning(
            "%d of %d segments of a user's kept index are damaged: their items are read again, "
            "and indexed anew",
            len(damaged_heads),
            len(known_heads.segments),
        )


_log = logging.getLogger("threadkeep")
