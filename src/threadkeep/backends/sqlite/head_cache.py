"""Where streams stood when they were last written to: a guess that saves looking for it."""

from __future__ import annotations

import sqlite3
from typing import Final, NamedTuple

from threadkeep.backends.common.commit import Lifetime
from threadkeep.backends.sqlite import statements

_MOST: Final = 10_000


class StreamPosition(NamedTuple):
    """A stream's row, its version, and the seq of its last record."""

    sid: int
    version: int
    seq: int


class Heads:
    """The places of the streams written to last; whoever relies on one has SQLite prove it."""

    def __init__(self) -> None:
        self._places: dict[str, StreamPosition] = {}

    def note(self, stream: str, place: StreamPosition) -> None:
        """Guess that the stream will be found there."""
        if len(self._places) >= _MOST:
            self._places.clear()
        self._places[stream] = place

    def advance(
        self,
        connection: sqlite3.Connection,
        stream: str,
        count: int,
        expect: int | None,
        lifetime: Lifetime,
        token: str | None,
        now: float,
    ) -> StreamPosition | None:
        """Advance a stream by so many records, if it is alive and at its cached place.

        Returns where it was, or `None` if nothing was done: it is not at the version expected, has
        another ttl, or is not cached.
        """
        cached_position = self._places.get(stream)
        if cached_position is None or cached_position.version != expect:
            return None
        sid, version, seq = cached_position
        new_position = StreamPosition(sid, version + 1, seq + count)
        expires, ttl = lifetime
        new_values = (new_position.version, new_position.seq, expires, token, new_position.version)
        sql_parameters = (*new_values, *cached_position, stream, ttl, now)
        if not connection.execute(statements.ADVANCE_FROM, sql_parameters).rowcount:
            return None
        self._places[stream] = new_position
        return cached_position
