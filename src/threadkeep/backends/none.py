"""A store that keeps nothing: for stateless agents, and to measure overhead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from threadkeep.core import cursor as cursors
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl


class NoneBackend:
    """Accepts and discards every write; every read is empty.

    A write returns version 0 and seqs 0, which mean "not stored", and never a `Conflict`.

    Attributes:
        discards: True: verbs that would miss what was written before accept it all the same.
    """

    discards = True

    def __init__(self) -> None:
        self.blocking = False

    def __repr__(self) -> str:
        return "NoneBackend()"

    def read(self, *queries: Query, now: float) -> list[Page]:
        return [Page(0, []) for _ in queries]

    def commit(
        self,
        stream: str,
        *,
        put: Sequence[Record] = (),
        drop: Sequence[Drop] = (),
        ttl: Ttl = None,
        expect: int | None = None,
        token: str | None = None,
        now: float,
    ) -> Commit:
        return Commit(0, [0] * len(put))

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        if cursor is not None:
            raise cursors.invalid()
        return [], None

    def sweep(self, now: float, limit: int = 1000) -> int:
        return 0

    def purge(self, now: float) -> list[str]:
        """Does nothing: no copies remain."""
        return []

    def close(self) -> None:
        """Does nothing: nothing is open."""
