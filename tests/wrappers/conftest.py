"""Stores to wrap: one that never waits, one on the disk that can be opened again."""

from __future__ import annotations

import pytest

from threadkeep.backends.memory import MemoryBackend
from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.kinds import KINDS
from threadkeep.types import Query

NOW = 1_750_000_000.0
STREAM = "default/session/chat"
INNER = ("memory", "sqlite")


def opened(name, path):
    """A store of the table, empty or opened again."""
    return MemoryBackend() if name == "memory" else SqliteBackend(path / "chat.db", pool_size=20)


@pytest.fixture(params=INNER)
def inner(request, tmp_path):
    backend = opened(request.param, tmp_path)
    yield backend
    backend.close()


def stored(backend, stream, kinds=KINDS):
    """All that is stored of a stream, in its order, past any wrapper."""
    pages = backend.read(*(Query(stream, kind) for kind in kinds), now=NOW)
    return sorted((record for page in pages for record in page.records), key=lambda r: r.seq)
