"""Taking what was deleted out of the files themselves, one stream after the other."""

from __future__ import annotations

from threadkeep.backends.file import commit
from threadkeep.backends.file.layout import Layout
from threadkeep.backends.file.open_files import Store


def purge(layout: Layout, store: Store, now: float, *, fsync: bool) -> None:
    """Write every file anew that holds more than what is alive, and remove those of the dead.

    Raises:
        OSError: there was no room for it, or the like; the file at hand is as it was.
        Busy: somebody held a file for longer than the time-out; those before it are done.
    """
    for _, path in layout.walk():
        with store.writing(path, create=False) as log:
            if log is None:
                continue
            index = store.indexes.of(path)
            with index.mutex:
                index.catch_up(log)
                head, header = index.head, log.header()
                if head is None or header is None or not head.lives(now):
                    commit.end(log, index)
                else:
                    commit.compacted(log, index, head, header["s"], fsync=fsync)
