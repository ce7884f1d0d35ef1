"""A process to be killed by test_file_faults.py: says on stdout what it was promised.

Run as `python file_child.py ROLE FOLDER NAME`.
"""

from __future__ import annotations

import os
import sys
from itertools import count

from threadkeep.backends.file import FileBackend
from threadkeep.types import Query, Record

NOW = 1_700_000_000.0
STREAM = "default/session/1"


def say(line):
    os.write(1, f"{line}\n".encode())


def batch(name, size=3):
    return [Record("item", f"{name}-{part}", '"' + "x" * 300 + '"', NOW) for part in range(size)]


def write(folder, name):
    """Append batches of three for ever, and say the name of each when it is in."""
    backend = FileBackend(folder)
    for n in count():
        backend.commit(STREAM, put=batch(f"{name}-{n}"), now=NOW)
        say(f"{name}-{n}")


def churn(folder, name, times=None):
    """Count up in two records that are put together, long enough to be compacted often."""
    backend = FileBackend(folder, fsync=False)
    for n in count(1) if times is None else range(1, times + 1):
        body = f'"{n} {"x" * 2_000}"'
        put = [Record("item", f"{name}-{part}", body, NOW) for part in "ab"]
        backend.commit(STREAM, put=put, now=NOW)
        if times is None:
            say(n)
    backend.close()


def watch(folder, names, times):
    """Read what `churn` writes: both records of a pair say the same, and never less than before."""
    backend = FileBackend(folder)
    seen = dict.fromkeys(names, 0)
    for _ in range(times):
        (page,) = backend.read(Query(STREAM, "item"), now=NOW)
        told = {record.id: int(record.body[1:].split()[0]) for record in page.records}
        for name in names:
            one, other = told.get(f"{name}-a", 0), told.get(f"{name}-b", 0)
            assert one == other, "half a commit was seen"
            assert one >= seen[name], "a commit was seen, and then not"
            seen[name] = one
    backend.close()
    return seen


if __name__ == "__main__":
    {"write": write, "churn": churn}[sys.argv[1]](*sys.argv[2:])
