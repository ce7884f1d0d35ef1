"""Another file in place of one that is mostly dead, with all that counts. Under its lock.

POSIX: proven; who has the old file open goes on reading it, who waits for its lock opens the new.
Windows: by construction only; a file that a reader has open cannot be replaced, so it is left as
it is and the next commit tries again.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from threadkeep.backends.file import layout, line_format, locks
from threadkeep.backends.file.commit_line import earliest, short, token_of
from threadkeep.backends.file.index import Head
from threadkeep.backends.file.line_format import Place
from threadkeep.backends.file.log import Log

LEAST: Final = 64 * 1024
_ROWS: Final = 32
_BYTES: Final = 16 * 1024


class Live(NamedTuple):
    """A record that counts; `text` is its row."""

    seq: int
    kind: str
    expires: float | None
    text: str


def worthwhile(head: Head, size: int) -> bool:
    """Is more than half of the file dead, and more than 64 KB?"""
    dead = size - sum(place.size for place in head.kinds.values())
    return dead > LEAST and dead > size // 2


def compact(log: Log, head: Head, stream: str, *, fsync: bool) -> None:
    """Write what is alive to a new file and put it in the old one's place.

    The live records of this one stream are in memory meanwhile.

    Raises:
        OSError: there was no room for it, or the like; the old file is as it was.
    """
    fresh = f"{log.path.removesuffix('.log')}.tmp"
    try:
        with open(fresh, "wb") as file:  # noqa: PTH123
            file.writelines(_lines(log, head, stream))
            file.flush()
            if fsync:
                os.fsync(file.fileno())
            if os.name != "nt":
                _replace(log, fresh, file.fileno(), fsync=fsync)
        if os.name == "nt":  # where nothing that is open can be renamed
            log.close()
            os.replace(fresh, log.path)  # noqa: PTH105
    except OSError:
        layout.remove(fresh)
        raise


def _replace(log: Log, fresh: str, fd: int, *, fsync: bool) -> None:
    """Put a file in the log's place, locked until its name is safe.

    Else another process could write to it, and be believed, before a power cut brings the old
    file back.
    """
    with locks.reserved(fd):
        os.replace(fresh, log.path)  # noqa: PTH105
        if fsync:
            layout.sync_folder(os.path.dirname(log.path))  # noqa: PTH120


def live_rows(log: Log, head: Head) -> Iterable[Live]:
    """All records of the life, expired ones too, by going through it once."""
    rows: dict[tuple[str, str], Live] = {}
    floors = {kind: place.floor for kind, place in head.kinds.items()}
    for line in log.commits(head.begin):
        for kind, ids in line.head.get("d", {}).items():
            for id in ids:
                rows.pop((kind, id), None)
        for (kind, id, seq, _, expires, _), text in line.texts():
            if seq > floors.get(kind, 0):
                rows[kind, id] = Live(seq, kind, expires, text)
    return rows.values()


def _lines(log: Log, head: Head, stream: str) -> Iterator[bytes]:
    """The header, then all records in the order of their seqs, some to a line."""
    raw = line_format.header(stream, secrets.token_hex(8))
    yield raw
    offset = begin = len(raw)
    kinds: dict[str, Place] = {}
    base = 0
    batches = _batches(live_rows(log, head))
    for batch in batches:
        last = batch is batches[-1]
        seq = head.seq if last else batch[-1].seq
        said: dict[str, Any] = {"v": head.version, "q": seq, "b": base, "o": begin}
        if head.expires is not None:
            said["e"] = head.expires
        said["c"] = _mention(kinds, batch, offset)
        said["h"] = {kind: short(place) for kind, place in kinds.items()}
        token = token_of(log, head) if last else None
        if token is not None:
            said["t"] = token
        raw = line_format.render(said, [row.text for row in batch])
        yield raw
        offset, base = offset + len(raw), seq


def _batches(rows: Iterable[Live]) -> list[list[Live]]:
    """At least one, which may be empty: the head has to stand somewhere."""
    batches: list[list[Live]] = [[]]
    size = 0
    for row in sorted(rows):
        if len(batches[-1]) == _ROWS or size > _BYTES:
            batches.append([])
            size = 0
        batches[-1].append(row)
        size += len(row.text)
    return batches


def _mention(kinds: dict[str, Place], batch: list[Live], offset: int) -> dict[str, int]:
    """Count a batch in; the lines that mentioned its kinds before."""
    before = {row.kind: kinds.get(row.kind, Place(-1)).last for row in batch}
    for row in batch:
        place = kinds.get(row.kind, Place(-1))
        kinds[row.kind] = Place(
            offset,
            place.records + 1,
            place.size + line_format.size(row.text),
            0,
            earliest(place.expires, row.expires),
        )
    return before
