"""Signals for all of a server's processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any


def signal_all(server: Any, number: int) -> None:
    """Signal the server's process group, and all that descends from it, in groups of its own too.

    After SIGSTOP all of them have stopped: a busy machine may take a moment for that.
    """
    pids = [*_family(server.instance._process.pid)]
    server.instance.signal(number)
    for pid in pids:
        with suppress(ProcessLookupError):  # a connection's, which ended just now
            os.kill(pid, number)
    if number == signal.SIGSTOP:
        _await_stop(pids)


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(FileNotFoundError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                yield from _family(child)


def _await_stop(pids: list[int]) -> None:
    ends_at = time.monotonic() + 10
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < ends_at, "the server does not stop"
        time.sleep(0.005)


def _runs(pid: int) -> bool:
    """Whether a thread of the process may still run."""
    with suppress(FileNotFoundError, ProcessLookupError):
        states = [
            (task / "stat").read_text().rpartition(")")[2].split()[0]
            for task in Path(f"/proc/{pid}/task").iterdir()
        ]
        return any(state not in ("T", "t", "Z", "X") for state in states)
    return False
