"""A real SQLite file, and what looks at it afterwards from outside."""

from __future__ import annotations

import pytest

import threadkeep


@pytest.fixture
def memory(tmp_path):
    with threadkeep.connect(f"sqlite:///{tmp_path}/chat.db") as memory:
        yield memory


@pytest.fixture
def chat(memory):
    return memory.session("t")
