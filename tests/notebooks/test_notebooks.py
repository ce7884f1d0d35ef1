"""The notebooks run as they stand, from any folder, without a key, and leave nothing behind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.notebooks.running import NOTEBOOKS, PICTURE, read, running

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
PLACES = re.compile(r"(?<![\w:/])/(home|root|Users|tmp|work|var|usr|opt)/|[A-Z]:\\\\")
KEYS = re.compile(r"\b(sk|pk|ghp|xox[bp]|AKIA)[-_A-Za-z0-9]{12,}")


@pytest.mark.slow
@each_notebook
def test_every_cell_runs_and_runs_again_to_the_same_effect(path: Path, folder: Path) -> None:
    with running(read(path), folder) as notebook:
        first, again = [], []
        for number in range(len(notebook)):
            first.append(notebook.cell(number))
            again.append(notebook.cell(number))
        assert again == first
        assert [notebook.cell(number) for number in range(len(notebook))] == first
    assert "".join(first).count(PICTURE) == path.read_text("utf-8").count("plt.show()")
    assert left_by_it(folder) == []


@each_notebook
def test_what_is_committed_is_the_source_alone(path: Path) -> None:
    # After working on one: Clear All Outputs, save.
    for cell in read(path).cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
        assert cell.metadata == {}


@each_notebook
def test_there_are_no_places_of_a_machine_and_no_keys_in_it(path: Path) -> None:
    text = path.read_text("utf-8")
    assert PLACES.findall(text) == []
    assert KEYS.findall(text) == []


@each_notebook
def test_cells_are_short_and_explained(path: Path) -> None:
    cells = read(path).cells
    assert cells[0].cell_type == "markdown"
    assert all(len(cell.source.splitlines()) <= 50 for cell in cells)


def left_by_it(folder: Path) -> list[str]:
    """What a kernel has left where it worked, in the user's home and among temporary files."""
    places = [folder, folder.parent / "home", folder.parent / "temp"]
    return sorted(str(found) for place in places for found in place.rglob("*"))
