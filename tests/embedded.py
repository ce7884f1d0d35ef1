"""A memory on each embedded store, with a clock that stands still: fixtures that folders share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.doubles import Clock
from threadkeep import Backend, connect
from threadkeep.backends.file import FileBackend
from threadkeep.backends.memory import MemoryBackend
from threadkeep.backends.sqlite import SqliteBackend

STORES: dict[str, Callable[[Path], Backend]] = {
    "memory": lambda path: MemoryBackend(),
    "sqlite": lambda path: SqliteBackend(path / "chat.db", timeout=10),
    "file": lambda path: FileBackend(path / "chats"),
}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=STORES)
def backend(request, tmp_path):
    made = STORES[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture
def opened(backend, clock):
    """Opens Memories on the one store, wrapped if so told.

    None keeps an index in the background, which would come between what a test counts;
    `memory.index()` keeps it when it is told to.
    """
    made = []

    def open_memory(wrap=lambda inner: inner, **options):
        made.append(connect(wrap(backend), **{"clock": clock, **options}))
        made[-1]._engine.write_counts = None
        return made[-1]

    yield open_memory
    for memory in made:
        memory.close()


@pytest.fixture
def memory(opened):
    return opened()
