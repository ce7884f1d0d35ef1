"""In-memory index of a log: its last head, and the last line that mentions each record."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, NamedTuple

from threadkeep.backends.common.commit import Lifetime
from threadkeep.backends.file import index_file
from threadkeep.backends.file.index_file import Sidecar, SortedRun
from threadkeep.backends.file.line_format import KindState, LogLine, Row
from threadkeep.backends.file.log import Log

STEP: Final = 64 * 1024
"""A process that opens a stream parses at most so many bytes of log beyond the sidecar."""
_MAX_INDEXES: Final = 256
_MAX_IDS: Final = 2_000_000


class StreamHead(NamedTuple):
    """The state of a stream after a line."""

    version: int
    seq: int
    expires: float | None
    ttl: float | None
    begin: int
    kinds: dict[str, KindState]
    token: int | None
    """The offset of the line that has the last token."""
    end: int
    """The offset of the end of the line."""

    @classmethod
    def of(cls, line: LogLine) -> StreamHead:
        head_fields = line.head
        state_by_kind = {kind: KindState(*state) for kind, state in head_fields["h"].items()}
        token_offset = line.offset if "t" in head_fields else head_fields.get("k")
        lifetime = head_fields.get("e"), head_fields.get("l")
        return cls(
            head_fields["v"],
            head_fields["q"],
            *lifetime,
            head_fields["o"],
            state_by_kind,
            token_offset,
            line.end,
        )

    @property
    def lifetime(self) -> Lifetime:
        return Lifetime(self.expires, self.ttl)

    def is_live(self, now: float) -> bool:
        return self.version > 0 and (self.expires is None or self.expires > now)


class Index:
    """Maps records to lines; catches up with bytes that any process appended. Hold `mutex`.

    The newest entries are in a dict, older ones in the sorted runs of the sidecar. The keys are
    hashes, so the line itself must confirm a match.
    """

    def __init__(self) -> None:
        self.mutex = threading.Lock()
        self.reset("")

    def reset(self, generation: str) -> None:
        self.generation = generation
        self.head: StreamHead | None = None
        self.end = 0
        self.damaged = 0
        self.patience = 0
        """After a failed compaction: the size of the log from which to try again."""
        self._last_offset = 0
        self._covered = 0
        self._recent: dict[int, int] = {}
        self._runs: list[SortedRun] = []

    def __len__(self) -> int:
        return len(self._recent) + sum(len(sorted_run.hashes) for sorted_run in self._runs)

    def catch_up(self, log: Log) -> None:
        """Read the lines that were appended since the last call."""
        if log.size == self.end and self.generation and log.generation() == self.generation:
            return
        self._reload(log)
        for end_offset, log_line in log.forward(self.end):
            if log_line is None:
                self.damaged += 1
            elif "v" in log_line.head:
                self.add(log_line)
            self.end = end_offset

    def add(self, line: LogLine) -> None:
        """Add a commit."""
        key_hashes = [self.hash(row[0], row[1]) for row in line.rows()]
        for kind, dropped_ids in line.head.get("d", {}).items():
            key_hashes += [self.hash(kind, record_id) for record_id in dropped_ids]
        self.know(StreamHead.of(line), line.offset, key_hashes)

    def know(self, head: StreamHead, offset: int, hashes: Iterable[int]) -> None:
        """Add a commit: the head after it, and the hashes of the records it mentions."""
        if head.begin == offset:
            self._recent, self._runs, self._covered = {}, [], offset
        self._recent.update(dict.fromkeys(hashes, offset))
        self.head, self.end, self._last_offset, self.damaged = head, head.end, offset, 0

    def find(
        self, log: Log, kind: str, id: str, hash: int | None = None
    ) -> tuple[LogLine, Row, int] | None:
        """Find the line with the current state of a record, its row and size; or None."""
        stream_head = self.head
        kind_state = stream_head.kinds.get(kind) if stream_head else None
        if stream_head is None or kind_state is None or not kind_state.records:
            return None
        line_offset = self.offset(self.hash(kind, id) if hash is None else hash)
        log_line = (
            log.line_at(line_offset)
            if line_offset is not None and line_offset >= stream_head.begin
            else None
        )
        row_match = log_line.row(kind, id) if log_line else None
        if log_line is None or row_match is None or row_match[0][2] <= kind_state.floor:
            return None
        return (log_line, *row_match)

    def offset(self, hash: int) -> int | None:
        """The offset of the last line that mentions a record with this hash."""
        line_offset = self._recent.get(hash)
        if line_offset is not None:
            return line_offset
        for sorted_run in reversed(self._runs):
            line_offset = sorted_run.find(hash)
            if line_offset is not None:
                return line_offset
        return None

    def save(self, path: str) -> None:
        """Write the sidecar if enough lines are not covered by the one on disk.

        The steps of a long log are larger, so that its large sidecar is written rarely.
        """
        min_uncovered_bytes = max(STEP, 2 * sum(len(run.hashes) for run in self._runs))
        if self.end - self._covered >= min_uncovered_bytes and self.generation:
            self.save_now(path)

    def save_now(self, path: str) -> None:
        self._runs = index_file.merge_runs(self._runs, self._recent)
        self._recent, self._covered = {}, self.end
        index_file.store(
            path, self.generation, Sidecar(self._covered, self._last_offset, self._runs)
        )

    def _reload(self, log: Log) -> None:
        """If the file was replaced, start over, from its sidecar if that matches."""
        header = log.header()
        generation = header["g"] if header else ""
        is_same_log = generation and generation == self.generation and log.size >= self.end
        if is_same_log and log.size - self.end <= 16 * STEP:
            return
        self.reset(generation)
        sidecar = index_file.load(sidecar_path(log.path), generation) if generation else None
        last_line = log.line_at(sidecar.last_offset) if sidecar else None
        if sidecar and last_line and last_line.end == sidecar.covered and "v" in last_line.head:
            self.head, self._runs = StreamHead.of(last_line), sidecar.runs
            self._last_offset = sidecar.last_offset
            self.end = self._covered = sidecar.covered

    def hash(self, kind: str, id: str) -> int:
        """Hash a record key, keyed by the random generation so that nobody can craft collisions."""
        key_bytes = f"{kind} {id}".encode("utf-8", "surrogatepass")
        hash_key = self.generation.encode()
        return int.from_bytes(blake2b(key_bytes, digest_size=8, key=hash_key).digest(), "little")


class Indexes:
    """An LRU cache of indexes by path, bounded in number and in size."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._indexes: OrderedDict[str, Index] = OrderedDict()

    def of(self, path: str) -> Index:
        """The index of a file; an evicted one still works for its holders."""
        with self._mutex:
            log_index = self._indexes.get(path)
            if log_index is None:
                log_index = self._indexes[path] = Index()
                self._shrink()
            else:
                self._indexes.move_to_end(path)
            return log_index

    def forget(self, path: str) -> None:
        """Drop the index of a deleted file."""
        with self._mutex:
            self._indexes.pop(path, None)

    def _shrink(self) -> None:
        record_count = sum(map(len, self._indexes.values()))
        while len(self._indexes) > 1 and (
            len(self._indexes) > _MAX_INDEXES or record_count > _MAX_IDS
        ):
            record_count -= len(self._indexes.popitem(last=False)[1])


def sidecar_path(path: str) -> str:
    """The path of a log's index file."""
    return path.removesuffix(".log") + ".idx"
