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
    dead_bytes = size - sum(kind_state.size for kind_state in head.kinds.values())
    return dead_bytes > LEAST and dead_bytes > size // 2


def compact(log: Log, head: StreamHead, stream: str, *, fsync: bool) -> None:
    """Write the live records to a new file and replace the old one by it.

    The live records of this one stream are held in memory meanwhile.

    Raises:
        OSError: e.g. the disk is full; the old file is unchanged.
    """
    temporary_path = f"{log.path.removesuffix('.log')}.tmp"
    try:
        with open(temporary_path, "wb", opener=layout.open_private) as file:
            file.writelines(_lines(log, head, stream))
            file.flush()
            if fsync:
                os.fsync(file.fileno())
            if os.name != "nt":
                os.fchmod(file.fileno(), stat.S_IMODE(os.fstat(log.fd).st_mode))
                _replace(log, temporary_path, file.fileno(), fsync=fsync)
        if os.name == "nt":  # which cannot rename open files
            log.close()
            os.replace(temporary_path, log.path)  # noqa: PTH105
    except OSError:
        layout.remove(temporary_path)
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
    row_by_key: dict[tuple[str, str], LiveRow] = {}
    floor_by_kind = {kind: kind_state.floor for kind, kind_state in head.kinds.items()}
    for log_line in log.commits(head.begin):
        for kind, dropped_ids in log_line.head.get("d", {}).items():
            for record_id in dropped_ids:
                row_by_key.pop((kind, record_id), None)
        for (kind, record_id, seq, _, expiry, _), row_text in log_line.rows_with_text():
            if seq > floor_by_kind.get(kind, 0):
                row_by_key[kind, record_id] = LiveRow(seq, kind, expiry, row_text)
    return row_by_key.values()


def _lines(log: Log, head: StreamHead, stream: str) -> Iterator[bytes]:
    """Yield the header, then lines with all records by seq, several per line."""
    line_bytes = line_format.header(stream, secrets.token_hex(8))
    yield line_bytes
    line_offset = header_size = len(line_bytes)
    state_by_kind: dict[str, KindState] = {}
    previous_seq = 0
    batches = _batches(live_rows(log, head))
    for batch in batches:
        is_last_batch = batch is batches[-1]
        last_seq = head.seq if is_last_batch else batch[-1].seq
        head_fields: dict[str, Any] = {
            "v": head.version,
            "q": last_seq,
            "b": previous_seq,
            "o": header_size,
        }
        head_fields |= lifetime_fields(head.lifetime)
        head_fields["c"] = _count_batch(state_by_kind, batch, line_offset)
        head_fields["h"] = {kind: trimmed(kind_state) for kind, kind_state in state_by_kind.items()}
        last_token = token_of(log, head) if is_last_batch else None
        if last_token is not None:
            head_fields["t"] = last_token
        line_bytes = line_format.render(head_fields, [row.text for row in batch])
        yield line_bytes
        line_offset, previous_seq = line_offset + len(line_bytes), last_seq


def _batches(rows: Iterable[LiveRow]) -> list[list[LiveRow]]:
    """Split rows into batches; at least one, maybe empty, since a line must hold the head."""
    batches: list[list[LiveRow]] = [[]]
    batch_size = 0
    for row in sorted(rows):
        if len(batches[-1]) == _BATCH_ROWS or batch_size > _BATCH_BYTES:
            batches.append([])
            batch_size = 0
        batches[-1].append(row)
        batch_size += len(row.text)
    return batches


def _count_batch(
    state_by_kind: dict[str, KindState], batch: list[LiveRow], offset: int
) -> dict[str, int]:
    """Add a batch to the kinds; return the offsets of the previous lines that mention them."""
    offset_by_kind = {row.kind: state_by_kind.get(row.kind, KindState(-1)).last for row in batch}
    for row in batch:
        kind_state = state_by_kind.get(row.kind, KindState(-1))
        state_by_kind[row.kind] = KindState(
            offset,
            kind_state.records + 1,
            kind_state.size + line_format.size(row.text),
            0,
            earliest(kind_state.expires, row.expires),
        )
    return offset_by_kind
