"""From a change to bytes on the disk, under the lock; then what keeps the files small and quick."""

from __future__ import annotations

import logging
import os
import secrets
from typing import Final

from threadkeep.backends.common.commit import Change, decide
from threadkeep.backends.file import (
    commit_line,
    compaction,
    layout,
    line_format,
)
from threadkeep.backends.file.commit_line import NewLine
from threadkeep.backends.file.index import Index, StreamHead, sidecar_path
from threadkeep.backends.file.log import Log
from threadkeep.types import Commit

_LOG: Final = logging.getLogger("threadkeep.backends.file")
_sync = getattr(os, "fdatasync", os.fsync)


def commit_nothing(change: Change) -> Commit:
    """The commit where there is no file, and none is to be made.

    Raises:
        Conflict: the stream was expected to be there.
    """
    return Commit(decide(None, change).version, [])


def commit(log: Log, log_index: Index, change: Change, *, fsync: bool) -> Commit:
    """Do it, on a log that is locked and an index that is held."""
    try:
        log_index.catch_up(log)
        header_bytes = (
            b"" if log_index.end else line_format.header(change.stream, secrets.token_hex(8))
        )
        pending_write = commit_line.apply(log, log_index, log_index.end + len(header_bytes), change)
        if pending_write.line:
            add(log, log_index, header_bytes, pending_write.line, fsync=fsync)
            if pending_write.ends:
                end(log, log_index)
            else:
                tidy(log, log_index, change.stream, fsync=fsync)
        return pending_write.answer
    finally:
        if not log.size:  # made for a commit that was refused, or failed
            layout.remove(log.path)


def add(log: Log, log_index: Index, header_bytes: bytes, line: NewLine, *, fsync: bool) -> None:
    """Append a line, and let it reach the disk before anybody hears of it.

    Args:
        header_bytes: the header, if the file is still to get one.
    """
    is_new_file = log_index.head is None
    log.append(header_bytes + line.raw, log_index.end)
    if fsync:
        _sync(log.fd)
        if is_new_file:
            layout.sync_names(log.path)
    if is_new_file:
        log_index.catch_up(log)
    else:
        log_index.know(line.head, line.offset, line.hashes)


def end(log: Log, log_index: Index) -> None:
    """Unlink a stream that the last line says is gone, or that has expired."""
    if os.name == "nt":
        log.close()
    path_stem = log.path.removesuffix(".log")
    layout.remove(f"{path_stem}.idx", f"{path_stem}.tmp", log.path)
    log_index.reset("")


def tidy(log: Log, log_index: Index, stream: str, *, fsync: bool) -> None:
    """Compact if it is worthwhile, else keep the sidecar; what fails here costs only space."""
    stream_head = log_index.head
    if stream_head is None or log.size < log_index.patience:
        return
    if log_index.generation and not compaction.worthwhile(stream_head, log.size):
        log_index.save(sidecar_path(log.path))
        return
    log_index.patience = log.size + log.size // 4
    try:
        compacted(log, log_index, stream_head, stream, fsync=fsync)
    except OSError as error:
        _LOG.warning("%s could not be compacted: %s", log.path, error.strerror)


def compacted(log: Log, log_index: Index, head: StreamHead, stream: str, *, fsync: bool) -> None:
    """Put a file of what is alive in the log's place, and keep the index in step.

    Raises:
        OSError: there was no room for it, or the like; the old file is as it was.
    """
    compaction.compact(log, head, stream, fsync=fsync)
    fd = layout.open_log(log.path)
    if fd is None:
        return
    compacted_log = Log(fd, log.path)
    try:
        log_index.catch_up(compacted_log)
        log_index.save_now(sidecar_path(log.path))
    finally:
        compacted_log.close()
