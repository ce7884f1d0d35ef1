"""Which streams this process has only appended to: what it read of them before is still true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from threadkeep.core.cache.generational import GenerationalCache
from threadkeep.types import Commit, Drop

_CAPACITY: Final = 2_000


class _Entry(NamedTuple):
    """From version `since` to `version`, nothing up to the seq `seq` was changed or removed."""

    version: int
    since: int
    seq: int


class AppendLog:
    """Follows the commits of this process to the streams that were observed; thread-safe."""

    def __init__(self) -> None:
        self._entries: GenerationalCache[str, _Entry] = GenerationalCache(_CAPACITY)

    def observe(self, stream: str, version: int, seq: int) -> None:
        """Begin to follow a stream that was read at a version, with records up to a seq."""
        entry = self._entries.get(stream)
        if entry is None or entry.version != version:
            self._entries.put(stream, _Entry(version, version, seq))
        elif entry.seq < seq:
            self._entries.put(stream, entry._replace(seq=seq))

    def apply_commit(self, stream: str, drop: Sequence[Drop], commit: Commit) -> None:
        """Take note of a commit of this process; no I/O."""
        entry = self._entries.get(stream)
        if entry is None or commit.version == entry.version:
            return
        last_seq = max(commit.seqs, default=0)
        # of a stream that did not exist, nothing can have been changed
        is_next_version = entry.version == 0 or commit.version == entry.version + 1
        if is_next_version and not drop and min(commit.seqs, default=0) > entry.seq:
            self._entries.put(stream, _Entry(commit.version, entry.since, last_seq))
        elif commit.version > entry.version:
            self._entries.put(
                stream, _Entry(commit.version, commit.version, max(last_seq, entry.seq))
            )

    def is_unchanged(self, stream: str, since: int, version: int) -> bool:
        """Return True if nothing that was there at one version was changed up to another."""
        entry = self._entries.get(stream)
        if since == version:
            return True
        return entry is not None and entry.version == version and entry.since <= since
