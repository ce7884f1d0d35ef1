"""A benchmark run is written onto the pages that show figures, and changes nothing else there."""

from __future__ import annotations

import json

import pytest

from benchmarks import page

TURNS = [
    {"system": "raw_sqlite", "length": 10, "median": 0.0002},
    {"system": "raw_sqlite", "length": 1_000, "median": 0.00025},
    {"system": "threadkeep_sqlite", "length": 10, "median": 0.0005},
]
ABOUT = "Python 3.11.7, SQLite 3.40.1, 2 cores (x86_64), load {}, files in somewhere"


def figures(load="0.5"):
    bulk = {"raw_sqlite": {"messages_per_second": 10_000.0}}
    return {"about": ABOUT.format(load), "benches": {"turn": TURNS, "bulk": bulk}}


@pytest.fixture
def copies(tmp_path, monkeypatch):
    """Copies of the pages, to write to."""
    for name in ("README.md", "docs/explanation/comparison.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((page.ROOT / name).read_text("utf-8"), "utf-8")
    monkeypatch.setattr(page, "ROOT", tmp_path)
    return tmp_path


def test_a_ratio_is_to_the_raw_driver_at_the_same_length():
    assert "| **threadkeep** | 0.50 (2.5 x) | - |" in page.shown(figures())


def test_it_says_if_the_machine_was_busy_and_not_where_the_files_lay():
    assert "busy" not in page.shown(figures())
    assert "busy" in page.shown(figures(load="7.1"))
    assert "somewhere" not in page.shown(figures())


def test_both_pages_have_a_place_for_figures_and_keep_the_rest(copies, tmp_path):
    before = {path: path.read_text("utf-8") for path in copies.rglob("*.md")}
    (tmp_path / "figures.json").write_text(json.dumps(figures()))
    page.main([str(tmp_path / "figures.json")])
    for path, text in before.items():
        after = path.read_text("utf-8")
        assert "0.50 (2.5 x)" in after
        assert after.partition("<!-- figures -->")[0] == text.partition("<!-- figures -->")[0]
        assert after.partition("<!-- end -->")[2] == text.partition("<!-- end -->")[2]
