"""`threadkeep sweep`: space back from what has expired."""

from __future__ import annotations

from typing import Final

from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.store import present

_BATCH: Final = 1_000


def sweep(memory: Memory) -> None:
    """Reclaim the space of what has expired; it was invisible already."""
    total = 0
    while reclaimed := present(memory).sweep(limit=_BATCH):
        total += reclaimed
    output.line(f"{total} expired entries reclaimed")
