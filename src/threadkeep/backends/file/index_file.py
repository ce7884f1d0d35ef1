"""The index file beside a log, `<name>.idx`: saves a new process from reading a long log.

It is a cache, written without a lock: a missing, torn, stale or foreign file only costs time.
It is tied to its log by the log's generation and by the last line that it covers.
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

from threadkeep.backends.file.layout import open_private

_MAGIC: Final = b"tkidx1" + sys.byteorder[:1].encode()  # arrays are stored in native byte order
_HEAD: Final = struct.Struct("<7s16sQQII")
"""Magic, generation, covered, last_offset, number of runs, checksum of the runs."""
_COUNT: Final = struct.Struct("<Q")


class SortedRun(NamedTuple):
    """Sorted hashes of records, and for each the offset of the newest line that mentions it."""

    hashes: array[int]
    offsets: array[int]

    def find(self, hash: int) -> int | None:
        hash_index = bisect_left(self.hashes, hash)
        if hash_index < len(self.hashes) and self.hashes[hash_index] == hash:
            return self.offsets[hash_index]
        return None


class Sidecar(NamedTuple):
    """Runs, oldest first, of the lines before `covered`; the last one is at `last_offset`."""

    covered: int
    last_offset: int
    runs: list[SortedRun]


def build_run(offset_by_hash: Mapping[int, int]) -> SortedRun:
    """Sort a dict of offsets by hash to a run."""
    hashes = sorted(offset_by_hash)
    return SortedRun(array("Q", hashes), array("Q", map(offset_by_hash.__getitem__, hashes)))


def merge_runs(runs: Iterable[SortedRun], offset_by_hash: Mapping[int, int]) -> list[SortedRun]:
    """Append a newer run, merged with the runs before it that are not much larger.

    So there are few runs, and each entry is copied only a few times, however long the log is.
    """
    merged_runs, new_offset_by_hash = list(runs), dict(offset_by_hash)
    while merged_runs and len(merged_runs[-1].hashes) <= 2 * len(new_offset_by_hash):
        sorted_run = merged_runs.pop()
        new_offset_by_hash = (
            dict(zip(sorted_run.hashes, sorted_run.offsets, strict=True)) | new_offset_by_hash
        )
    return [*merged_runs, build_run(new_offset_by_hash)]


def load(path: str, generation: str) -> Sidecar | None:
    """Read the file; `None` = it is missing, damaged, or of another generation of the log."""
    try:
        file_bytes = Path(path).read_bytes()
        stored_magic, stored_generation, covered_bytes, last_offset, run_count, stored_crc = (
            _HEAD.unpack_from(file_bytes)
        )
        if (
            stored_magic != _MAGIC
            or stored_generation != generation.encode()
            or stored_crc != crc32(file_bytes[_HEAD.size :])
        ):
            return None
        return Sidecar(covered_bytes, last_offset, _runs(file_bytes, run_count))
    except (OSError, ValueError, struct.error):
        return None


def store(path: str, generation: str, sidecar: Sidecar) -> None:
    """Replace the file; after a failure there is none, or the old one."""
    run_parts: list[bytes] = []
    for sorted_run in sidecar.runs:
        run_parts += (
            _COUNT.pack(len(sorted_run.hashes)),
            sorted_run.hashes.tobytes(),
            sorted_run.offsets.tobytes(),
        )
    runs_bytes = b"".join(run_parts)
    head_bytes = _HEAD.pack(
        _MAGIC,
        generation.encode(),
        sidecar.covered,
        sidecar.last_offset,
        len(sidecar.runs),
        crc32(runs_bytes),
    )
    temporary_path = Path(f"{path}.tmp")
    try:
        with open(temporary_path, "wb", opener=open_private) as file:
            file.write(head_bytes + runs_bytes)
        os.replace(temporary_path, path)  # noqa: PTH105 (the hot path has strings)
    except OSError:
        with suppress(OSError):
            temporary_path.unlink()


def _runs(raw: bytes, count: int) -> list[SortedRun]:
    read_offset, sorted_runs = _HEAD.size, []
    for _ in range(count):
        (run_length,) = _COUNT.unpack_from(raw, read_offset)
        hashes_start = read_offset + _COUNT.size
        offsets_start, read_offset = hashes_start + 8 * run_length, hashes_start + 16 * run_length
        sorted_runs.append(
            SortedRun(
                array("Q", raw[hashes_start:offsets_start]),
                array("Q", raw[offsets_start:read_offset]),
            )
        )
    return sorted_runs
