"""`threadkeep sweep`: reclaim the space of expired records."""

from __future__ import annotations

from typing import Final

from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.store import require_existing
from threadkeep.printable import counted

_BATCH: Final = 1_000


def sweep(memory: Memory) -> None:
    """Reclaim the space of what has expired; it was invisible already."""
    record_count = 0
    while batch_count := require_existing(memory).sweep(limit=_BATCH):
        record_count += batch_count
    output.print_line(f"{counted(record_count, 'expired entry', 'expired entries')} reclaimed")
