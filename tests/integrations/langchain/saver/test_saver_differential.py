"""Random programs: the whole history equals that of LangGraph's own checkpointer."""

from __future__ import annotations

import os

import pytest

from tests.integrations.langchain.saver.programs import Program
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend

SEEDS = range(16)
SOAK = int(os.environ.get("THREADKEEP_SOAK_PROGRAMS", "10000"))
STORES = ["sqlite", "file"]


@pytest.fixture
def memories():
    """Opens Memories on one store, each with the caches of a process of its own."""
    opened = []

    def make():
        backend = MemoryBackend()

        def open_memory():
            opened.append(connect(backend))
            return opened[-1]

        return open_memory

    yield make
    for memory in opened:
        memory.close()


@pytest.fixture
def on_disk(request, tmp_path):
    """As `memories`, on a store that is opened again each time."""
    opened = []

    def open_memory():
        url = (
            f"sqlite:///{tmp_path}/chat.db" if request.param == "sqlite" else f"file://{tmp_path}/c"
        )
        opened.append(connect(url))
        return opened[-1]

    yield open_memory
    for memory in opened:
        memory.close()


@pytest.mark.parametrize("on_disk", STORES, indirect=True)
@pytest.mark.parametrize("seed", [1000, 1001, 1003])
def test_history_is_equal_on_disk(on_disk, seed):
    Program(seed, on_disk).run(turns=6)


@pytest.mark.soak
def test_history_equals_in_ten_thousand_programs(memories):
    for seed in range(SOAK):
        Program(100_000 + seed, memories(), strict=seed % 4 == 0).run(turns=6)


@pytest.mark.proves("D16")
@pytest.mark.parametrize("seed", SEEDS)
def test_history_equals_that_of_in_memory_saver(memories, seed):
    Program(seed, memories(), strict=seed % 4 == 0).run(turns=6)
