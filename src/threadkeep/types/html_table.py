"""Tables for notebooks: escaped, short, in the colours of the page, and without any script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from threadkeep.printable import escaped

MAX_CHARACTERS: Final = 200
"""Of a text in a cell."""

_MAX_FOLDED: Final = 1_000


class Cell(NamedTuple):
    """A cell of a table.

    Attributes:
        text: its words; cut if they are many.
        quiet: whether they are beside the point, such as a date.
        folded: what is shown when it is opened: pairs of a heading and a text.
    """

    text: str
    quiet: bool = False
    folded: Sequence[tuple[str, str]] = ()


def table(rows: Iterable[Sequence[Cell]], note: str) -> str:
    """An HTML table with a line below it."""
    rows_html = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table>{rows_html}</table><small>{_text(note)}</small>"


def truncate(text: str, limit: int = MAX_CHARACTERS) -> str:
    """The text, cut if it is long."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _cell(cell: Cell) -> str:
    style = "text-align:left;opacity:.6" if cell.quiet else "text-align:left;white-space:pre-wrap"
    folded_html = "".join(
        f"<details><summary>{_text(truncate(heading))}</summary>"
        f"{_text(truncate(folded_text, _MAX_FOLDED))}</details>"
        for heading, folded_text in cell.folded
    )
    return f"<td style='{style}'>{_text(truncate(cell.text))}{folded_html}</td>"


def _text(text: str) -> str:
    """Text as HTML: no markup of its own, and its control characters to be seen."""
    import html  # for notebooks only

    return html.escape(escaped(text))
