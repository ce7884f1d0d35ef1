"""A user with two conversations, told in short."""

from __future__ import annotations

import pytest

from tests.engine.doubles import Clock
from tests.responses.conftest import STORES
from threadkeep import connect


@pytest.fixture(params=STORES)
def backend(request, tmp_path):
    """The embedded stores; servers are asked in `test_recall_stores`."""
    made = STORES[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture
def opened(backend):
    made = []

    def open_memory(wrap=lambda inner: inner, **options):
        made.append(connect(wrap(backend), **{"clock": Clock(), **options}))
        return made[-1]

    yield open_memory
    for memory in made:
        memory.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def memory(opened, clock):
    return opened(clock=clock)


@pytest.fixture
def ada(memory):
    return memory.user("ada")


def said(text, *, name=None, role="user", at=None):
    message = {"role": role, "content": text}
    if name is not None:
        message["name"] = name
    if at is not None:
        message["created_at"] = at
    return message


def texts(hits):
    return [hit.text for hit in hits]
