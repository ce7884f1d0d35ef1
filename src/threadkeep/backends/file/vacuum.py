"""Erases deleted data from the files, one stream after the other."""

from __future__ import annotations

from threadkeep.backends.file import commit
from threadkeep.backends.file.layout import Layout
from threadkeep.backends.file.open_files import OpenFiles


def purge(layout: Layout, files: OpenFiles, now: float, *, fsync: bool) -> None:
    """Compact every file, and remove those of streams that ended or expired.

    Raises:
        OSError: e.g. the disk is full; the current file is unchanged.
        LockTimeout: a file was locked for longer than the time-out; the ones before it are done.
    """
    for _, log_path in layout.walk():
        with files.writing(log_path, create=False) as log:
            if log is None:
                continue
            log_index = files.indexes.of(log_path)
            with log_index.mutex:
                log_index.catch_up(log)
                stream_head, log_header = log_index.head, log.header()
                if stream_head is None or log_header is None or not stream_head.is_live(now):
                    commit.end(log, log_index)
                else:
                    commit.compacted(log, log_index, stream_head, log_header["s"], fsync=fsync)
