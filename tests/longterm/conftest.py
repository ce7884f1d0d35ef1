"""A memory on each embedded store, with a clock that stands still, for what is learned of users."""

from __future__ import annotations

import pytest

from tests.engine.doubles import Clock
from tests.responses.conftest import STORES
from threadkeep import connect


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
    """Opens Memories on the one store, wrapped if so told."""
    made = []

    def open_memory(wrap=lambda inner: inner, **options):
        made.append(connect(wrap(backend), **{"clock": clock, **options}))
        return made[-1]

    yield open_memory
    for memory in made:
        memory.close()


@pytest.fixture
def memory(opened):
    return opened()


@pytest.fixture
def ada(memory):
    return memory.user("ada")
