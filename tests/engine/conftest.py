"""One store per test, in memory or in an SQLite file, a clock, and the leaks looked for after."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tests.embedded import clock, memory, opened
from threadkeep.backends.memory import MemoryBackend
from threadkeep.backends.sqlite import SqliteBackend

__all__ = ["backend", "chat", "clock", "handles", "memory", "no_threads", "opened"]


@pytest.fixture(params=["memory", "sqlite"])
def backend(request, tmp_path):
    """A real backend; when the test is over nothing of it may be left."""
    if request.param == "memory":
        yield MemoryBackend()
    else:
        made = SqliteBackend(tmp_path / "chat.db", timeout=10)
        yield made
        assert made._pool.in_use == 0, "a connection was not given back"
        made.close()
        assert not handles(tmp_path), "a file is still open"
    assert no_threads(), "a thread is left"


@pytest.fixture
def chat(memory):
    return memory.session("chat", user="ada")


def handles(folder):
    """The files of a folder that this process has open."""
    found = []
    for handle in Path("/proc/self/fd").iterdir():
        try:
            target = str(handle.readlink())
        except FileNotFoundError:
            continue
        if target.startswith(str(folder)):
            found.append(target)
    return found


def no_threads(within=5.0):
    """Whether the threads of closed Memories end."""
    end = time.monotonic() + within
    while any(thread.name.startswith("threadkeep") for thread in threading.enumerate()):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
