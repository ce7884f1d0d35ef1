"""A store that keeps nothing: for stateless agents, and for measuring what the rest costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from threadkeep.core import cursor as cursors
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl


class NoneBackend:
    """Takes every write and forgets it; every read is empty.

    It answers a write with version 0 and seqs 0, which mean "not stored", and never a `Conflict`.
    """

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
        """Nothing of what was deleted is left."""
        return []

    def close(self) -> None:
        """Nothing is open."""
