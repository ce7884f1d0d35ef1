"""`shared_memory`: one Memory per URL and process."""

from __future__ import annotations

import pytest

import threadkeep
from threadkeep.adapters.shared import shared_memory
from threadkeep.errors import ConfigError


def test_one_memory_per_url(tmp_path):
    url = f"sqlite:///{tmp_path}/chat.db"
    first = shared_memory(url)
    try:
        assert shared_memory(url) is first
        assert shared_memory(f"sqlite:///{tmp_path}/other.db") is not first
    finally:
        first.close()


def test_a_relative_path_is_another_store_in_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = shared_memory("sqlite:///chat.db")
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    with shared_memory("sqlite:///chat.db") as second:
        assert second is not first
    first.close()


def test_a_closed_one_is_opened_anew(tmp_path):
    url = f"sqlite:///{tmp_path}/chat.db"
    shared_memory(url).close()
    with shared_memory(url) as again:
        again.session("a").add("x")
        assert [item.text for item in again.session("a").items()] == ["x"]


def test_a_memory_is_itself():
    with threadkeep.connect("memory://") as memory:
        assert shared_memory(memory) is memory


def test_anything_else_is_refused():
    with pytest.raises(ConfigError, match="a Memory or a URL"):
        shared_memory(42)  # type: ignore[arg-type]
