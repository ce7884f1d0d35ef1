"""The notebooks of the project, and a kernel that runs them: their source alone goes in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SECONDS = 120
PICTURE = "[picture]"


def read(path: Path) -> NotebookNode:
    return cast("NotebookNode", nbformat.read(path, as_version=4))


@contextlib.contextmanager
def running(notebook: NotebookNode, folder: Path) -> Iterator[Run]:
    """A kernel of its own whose working directory is the folder; it is gone afterwards."""
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        coalesce_streams=True,  # how prints are cut into messages is a matter of timing
        resources={"metadata": {"path": str(folder)}},
    )
    with client.setup_kernel():
        yield Run(client)


class Run:
    """A notebook in a running kernel."""

    def __init__(self, client: NotebookClient) -> None:
        self._client = client
        self._cells = [
            (index, cell) for index, cell in enumerate(client.nb.cells) if cell.cell_type == "code"
        ]

    def __len__(self) -> int:
        return len(self._cells)

    def cell(self, number: int) -> str:
        """Run one cell; all that it says, and `PICTURE` for each picture.

        Raises:
            CellExecutionError: it failed.
        """
        index, cell = self._cells[number]
        return said(self._client.execute_cell(cell, index))


def said(cell: NotebookNode) -> str:
    return "\n".join(_text(output) for output in cell.outputs)


def _text(output: Any) -> str:
    if output.output_type == "stream":
        return f"{output.name}: {output.text}"
    data = output.get("data", {})
    if "image/png" in data:
        return PICTURE
    return "\n".join(str(data[kind]) for kind in ("text/html", "text/plain") if kind in data)
