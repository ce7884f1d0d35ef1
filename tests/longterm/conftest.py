"""A memory on each embedded store, for what is learned of users."""

from __future__ import annotations

import pytest

from tests.embedded import backend, clock, memory, opened

__all__ = ["ada", "backend", "clock", "memory", "opened"]


@pytest.fixture
def ada(memory):
    return memory.user("ada")
