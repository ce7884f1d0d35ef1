"""The index beside a log, `<name>.idx`: what spares a new process the reading of a long file.

It is a copy, made without any lock: a missing, torn, stale or foreign one only costs time.
It is bound to its log by the log's generation and by the last line that it covers.
"""

from __future__ import annotations

import os
import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

_MAGIC: Final = b"tkidx1" + sys.byteorder[:1].encode()  # arrays are stored as they are in memory
_HEAD: Final = struct.Struct("<7s16sQQII")
"""Magic, generation, covered, mark, how many runs, checksum of the runs."""
_COUNT: Final = struct.Struct("<Q")


class Run(NamedTuple):
    """Hashes of records, sorted, and the offset of the newest line that mentions each."""

    hashes: array[int]
    offsets: array[int]

    def find(self, hash: int) -> int | None:
        at = bisect_left(self.hashes, hash)
        if at < len(self.hashes) and self.hashes[at] == hash:
            return self.offsets[at]
        return None


class Sidecar(NamedTuple):
    """Runs, oldest first, of all lines before `covered`, the last of which begins at `mark`."""

    covered: int
    mark: int
    runs: list[Run]


def run_of(offsets: Mapping[int, int]) -> Run:
    """A run of what a dict says."""
    hashes = sorted(offsets)
    return Run(array("Q", hashes), array("Q", map(offsets.__getitem__, hashes)))


def merged(runs: Iterable[Run], offsets: Mapping[int, int]) -> list[Run]:
    """The runs and a newer one; those that are not much larger are merged into it.

    So there are few runs, and each entry is copied few times, however long the log is.
    """
    kept, newest = list(runs), dict(offsets)
    while kept and len(kept[-1].hashes) <= 2 * len(newest):
        old = kept.pop()
        newest = dict(zip(old.hashes, old.offsets, strict=True)) | newest
    return [*kept, run_of(newest)]


def load(path: str, generation: str) -> Sidecar | None:
    """What the file says of this generation of its log; `None` = nothing that can be relied on."""
    try:
        raw = Path(path).read_bytes()
        magic, owner, covered, mark, count, crc = _HEAD.unpack_from(raw)
        if magic != _MAGIC or owner != generation.encode() or crc != crc32(raw[_HEAD.size :]):
            return None
        return Sidecar(covered, mark, _runs(raw, count))
    except (OSError, ValueError, struct.error):
        return None


def store(path: str, generation: str, sidecar: Sidecar) -> None:
    """Put it in place of the old one; if that fails there is none, or the old one."""
    parts: list[bytes] = []
    for run in sidecar.runs:
        parts += (_COUNT.pack(len(run.hashes)), run.hashes.tobytes(), run.offsets.tobytes())
    body = b"".join(parts)
    head = _HEAD.pack(
        _MAGIC,
        generation.encode(),
        sidecar.covered,
        sidecar.mark,
        len(sidecar.runs),
        crc32(body),
    )
    fresh = Path(f"{path}.tmp")
    try:
        fresh.write_bytes(head + body)
        os.replace(fresh, path)  # noqa: PTH105 (the hot path has strings)
    except OSError:
        with suppress(OSError):
            fresh.unlink()


def _runs(raw: bytes, count: int) -> list[Run]:
    at, runs = _HEAD.size, []
    for _ in range(count):
        (length,) = _COUNT.unpack_from(raw, at)
        start = at + _COUNT.size
        middle, at = start + 8 * length, start + 16 * length
        runs.append(Run(array("Q", raw[start:middle]), array("Q", raw[middle:at])))
    return runs
