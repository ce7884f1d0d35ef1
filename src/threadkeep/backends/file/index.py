"""What a process remembers of a log: its last head, and where each record was mentioned last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, NamedTuple

from threadkeep.backends.file import index_file
from threadkeep.backends.file.index_file import Run, Sidecar
from threadkeep.backends.file.line_format import Line, Place, Row
from threadkeep.backends.file.log import Log

STEP: Final = 64 * 1024
"""So many bytes of log beyond the sidecar are parsed by a process that opens a stream."""
_STREAMS: Final = 256
_IDS: Final = 2_000_000


class Head(NamedTuple):
    """The state of a stream after a line."""

    version: int
    seq: int
    expires: float | None
    begin: int
    kinds: dict[str, Place]
    token: int | None
    """The offset of the line that has the last token."""
    end: int
    """Where the line ends."""

    @classmethod
    def of(cls, line: Line) -> Head:
        said = line.head
        kinds = {kind: Place(*place) for kind, place in said["h"].items()}
        token = line.offset if "t" in said else said.get("k")
        return cls(said["v"], said["q"], said.get("e"), said["o"], kinds, token, line.end)

    def lives(self, now: float) -> bool:
        return self.version > 0 and (self.expires is None or self.expires > now)


class Index:
    """Caught up from the bytes that were added since, by whomever; hold `mutex` to use it.

    The newest mentions stand in a dict, older ones in the sorted runs of the sidecar. All are
    hashes: a record is known only when the line says so.
    """

    def __init__(self) -> None:
        self.mutex = threading.Lock()
        self.reset("")

    def reset(self, generation: str) -> None:
        self.generation = generation
        self.head: Head | None = None
        self.end = 0
        self.damaged = 0
        self.patience = 0
        """A compaction that failed is not tried again before the log is so long."""
        self._mark = 0
        self._covered = 0
        self._recent: dict[int, int] = {}
        self._runs: list[Run] = []

    def __len__(self) -> int:
        return len(self._recent) + sum(len(run.hashes) for run in self._runs)

    def catch_up(self, log: Log) -> None:
        """Read what the log has and this has not."""
        if log.size == self.end and self.generation and log.generation() == self.generation:
            return
        self._recognise(log)
        for end, line in log.forward(self.end):
            if line is None:
                self.damaged += 1
            elif "v" in line.head:
                self.add(line)
            self.end = end

    def add(self, line: Line) -> None:
        """Know one more commit."""
        hashes = [self.hash(row[0], row[1]) for row in line.rows()]
        for kind, ids in line.head.get("d", {}).items():
            hashes += [self.hash(kind, id) for id in ids]
        self.know(Head.of(line), line.offset, hashes)

    def know(self, head: Head, offset: int, hashes: Iterable[int]) -> None:
        """Know one more commit: the head after it, and the records that it mentions."""
        if head.begin == offset:
            self._recent, self._runs, self._covered = {}, [], offset
        self._recent.update(dict.fromkeys(hashes, offset))
        self.head, self.end, self._mark, self.damaged = head, head.end, offset, 0

    def find(
        self, log: Log, kind: str, id: str, hash: int | None = None
    ) -> tuple[Line, Row, int] | None:
        """The line that has a record as it is now, its row and its size; or None."""
        head = self.head
        place = head.kinds.get(kind) if head else None
        if head is None or place is None or not place.records:
            return None
        offset = self.offset(self.hash(kind, id) if hash is None else hash)
        line = log.at(offset) if offset is not None and offset >= head.begin else None
        found = line.row(kind, id) if line else None
        if line is None or found is None or found[0][2] <= place.floor:
            return None
        return (line, *found)

    def offset(self, hash: int) -> int | None:
        """The line where a record of this hash was mentioned last."""
        offset = self._recent.get(hash)
        if offset is not None:
            return offset
        for run in reversed(self._runs):
            offset = run.find(hash)
            if offset is not None:
                return offset
        return None

    def save(self, path: str) -> None:
        """Write the sidecar once there is enough that it does not cover.

        A long log takes larger steps, lest its large sidecar is written too often.
        """
        step = max(STEP, 2 * sum(len(run.hashes) for run in self._runs))
        if self.end - self._covered >= step and self.generation:
            self.save_now(path)

    def save_now(self, path: str) -> None:
        self._runs = index_file.merged(self._runs, self._recent)
        self._recent, self._covered = {}, self.end
        index_file.store(path, self.generation, Sidecar(self._covered, self._mark, self._runs))

    def _recognise(self, log: Log) -> None:
        """Begin anew if this is not the file as it was, from its sidecar if that fits."""
        header = log.header()
        generation = header["g"] if header else ""
        known = generation and generation == self.generation and log.size >= self.end
        if known and log.size - self.end <= 16 * STEP:
            return
        self.reset(generation)
        found = index_file.load(sidecar_path(log.path), generation) if generation else None
        mark = log.at(found.mark) if found else None
        if found and mark and mark.end == found.covered and "v" in mark.head:
            self.head, self._runs, self._mark = Head.of(mark), found.runs, found.mark
            self.end = self._covered = found.covered

    def hash(self, kind: str, id: str) -> int:
        """Keyed by the random generation, so that nobody can make two ids that collide."""
        text = f"{kind} {id}".encode("utf-8", "surrogatepass")
        key = self.generation.encode()
        return int.from_bytes(blake2b(text, digest_size=8, key=key).digest(), "little")


class Indexes:
    """The indexes used last, by path, bounded in number and in size."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._indexes: OrderedDict[str, Index] = OrderedDict()
        self._uses = 0

    def of(self, path: str) -> Index:
        """The index of a file; one that is forgotten here goes on working for who holds it."""
        with self._mutex:
            index = self._indexes.get(path)
            if index is None:
                index = self._indexes[path] = Index()
                self._shrink()
            else:
                self._indexes.move_to_end(path)
            return index

    def forget(self, path: str) -> None:
        """Drop the index of a file that is gone."""
        with self._mutex:
            self._indexes.pop(path, None)

    def _shrink(self) -> None:
        total = sum(map(len, self._indexes.values()))
        while len(self._indexes) > 1 and (len(self._indexes) > _STREAMS or total > _IDS):
            total -= len(self._indexes.popitem(last=False)[1])


def sidecar_path(path: str) -> str:
    """Where the index of a log lies."""
    return path.removesuffix(".log") + ".idx"
