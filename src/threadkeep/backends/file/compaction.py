"""Compaction: replaces a mostly dead log by a new file with its live records, under its lock.

POSIX: tested; readers of the old file continue reading it, waiters for its lock open the new one.
Windows: by design only, not tested; a file that a reader has open cannot be replaced, so it is
left as it is and the next commit tries again.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from threadkeep.backends.file import layout, line_format, locks
from threadkeep.backends.file.commit_line import earliest, lifetime_fields, token_of, trimmed
from threadkeep.backends.file.index import StreamHead
from threadkeep.backends.file.line_format import KindState
from threadkeep.backends.file.log import Log

LEAST: Final = 64 * 1024
_BATCH_ROWS: Final = 32
_BATCH_BYTES: Final = 16 * 1024


class LiveRow(NamedTuple):
    """A live record; `text` is its row."""

    seq: int
    kind: str
    expires: float | None
    text: str


def worthwhile(head: StreamHead, size: int) -> bool:
    """Return True if more than half of the file is dead, and more than 64 KB."""
    dead = size - sum(state.size for state in head.kinds.values())
    return dead > LEAST and dead > size // 2


def compact(log: Log, head: StreamHead, stream: str, *, fsync: bool) -> None:
    """Write the live records to a new file and replace the old one by it.

    The live records of this one stream are held in memory meanwhile.

    Raises:
        OSError: e.g. the disk is full; the old file is unchanged.
    """
    temporary = f"{log.path.removesuffix('.log')}.tmp"
    try:
        with open(temporary, "wb", opener=layout.open_private) as file:
            file.writelines(_lines(log, head, stream))
            file.flush()
            if fsync:
                os.fsync(file.fileno())
            if os.name != "nt":
                os.fchmod(file.fileno(), stat.S_IMODE(os.fstat(log.fd).st_mode))
                _replace(log, temporary, file.fileno(), fsync=fsync)
        if os.name == "nt":  # which cannot rename open files
            log.close()
            os.replace(temporary, log.path)  # noqa: PTH105
    except OSError:
        layout.remove(temporary)
        raise


def _replace(log: Log, temporary: str, fd: int, *, fsync: bool) -> None:
    """Replace the log by a file that stays locked until its name is durable.

    Otherwise another process could acknowledge a commit to it before a power cut restores the
    old file.
    """
    with locks.reserved(fd):
        os.replace(temporary, log.path)  # noqa: PTH105
        if fsync:
            layout.sync_folder(os.path.dirname(log.path))  # noqa: PTH120


def live_rows(log: Log, head: StreamHead) -> Iterable[LiveRow]:
    """All records of the stream's current generation, expired ones too, in one pass."""
    rows: dict[tuple[str, str], LiveRow] = {}
    floors = {kind: state.floor for kind, state in head.kinds.items()}
    for line in log.commits(head.begin):
        for kind, ids in line.head.get("d", {}).items():
            for id in ids:
                rows.pop((kind, id), None)
        for (kind, id, seq, _, expires, _), text in line.rows_with_text():
            if seq > floors.get(kind, 0):
                rows[kind, id] = LiveRow(seq, kind, expires, text)
    return rows.values()


def _lines(log: Log, head: StreamHead, stream: str) -> Iterator[bytes]:
    """Yield the header, then lines with all records by seq, several per line."""
    raw = line_format.header(stream, secrets.token_hex(8))
    yield raw
    offset = begin = len(raw)
    kinds: dict[str, KindState] = {}
    base = 0
    batches = _batches(live_rows(log, head))
    for batch in batches:
        last = batch is batches[-1]
        seq = head.seq if last else batch[-1].seq
        fields: dict[str, Any] = {"v": head.version, "q": seq, "b": base, "o": begin}
        fields |= lifetime_fields(head.lifetime)
        fields["c"] = _count_batch(kinds, batch, offset)
        fields["h"] = {kind: trimmed(state) for kind, state in kinds.items()}
        token = token_of(log, head) if last else None
        if token is not None:
            fields["t"] = token
        raw = line_format.render(fields, [row.text for row in batch])
        yield raw
        offset, base = offset + len(raw), seq


def _batches(rows: Iterable[LiveRow]) -> list[list[LiveRow]]:
    """Split rows into batches; at least one, maybe empty, since a line must hold the head."""
    batches: list[list[LiveRow]] = [[]]
    size = 0
    for row in sorted(rows):
        if len(batches[-1]) == _BATCH_ROWS or size > _BATCH_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(row)
        size += len(row.text)
    return batches


def _count_batch(kinds: dict[str, KindState], batch: list[LiveRow], offset: int) -> dict[str, int]:
    """Add a batch to the kinds; return the offsets of the previous lines that mention them."""
    previous = {row.kind: kinds.get(row.kind, KindState(-1)).last for row in batch}
    for row in batch:
        state = kinds.get(row.kind, KindState(-1))
        kinds[row.kind] = KindState(
            offset,
            state.records + 1,
            state.size + line_format.size(row.text),
            0,
            earliest(state.expires, row.expires),
        )
    return previous
