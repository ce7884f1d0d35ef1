"""A process to be killed or starved by test_sqlite_faults.py: says on stdout what it was promised.

Run as `python sqlite_child.py ROLE FILE ...`.
"""

import os
import resource
import sys
import threading
from itertools import count

from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.errors import BackendError
from threadkeep.types import Query, Record

NOW = 1_700_000_000.0
STREAM = "default/session/1"


def say(line):
    os.write(1, f"{line}\n".encode())


def batch(name, size=3):
    return [Record("item", f"{name}-{part}", '"' + "x" * 300 + '"', NOW) for part in range(size)]


def write(path, name):
    """Four threads write batches of three for ever, and say the name of each when it is in."""
    backend = SqliteBackend(path)

    def run(thread):
        for n in count():
            backend.commit(STREAM, put=batch(f"{name}-{thread}-{n}"), now=NOW)
            say(f"{name}-{thread}-{n}")

    for thread in range(4):
        threading.Thread(target=run, args=(thread,)).start()


def fill(path, limit):
    """Write until no file may grow any more; then read; then write again with more room."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
    backend = SqliteBackend(path)
    try:
        for n in count():
            backend.commit(STREAM, put=batch(f"full-{n}", 20), now=NOW)
            say(f"full-{n}")
    except BackendError as error:
        say(f"error: {error}")
    (page,) = backend.read(Query(STREAM, "item"), now=NOW)
    say(f"read: {len(page.records)}")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    backend.commit(STREAM, put=batch("after", 20), now=NOW)
    say("after")
    backend.close()


if __name__ == "__main__":
    {"write": write, "fill": fill}[sys.argv[1]](*sys.argv[2:])
