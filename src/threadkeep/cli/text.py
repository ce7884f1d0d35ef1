"""Words from a store on a terminal: tables, and nothing that a terminal would obey."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def safe(said: object) -> Text:
    """Anything as plain text: control characters shown as a mark, no markup."""
    return Text(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(said)))


def when(moment: datetime | None) -> str:
    """A date and time, to the second, in local time."""
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their headings."""
    found = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        found.add_column(column, overflow="fold")
    for row in rows:
        found.add_row(*(safe("" if cell is None else cell) for cell in row))
    console().print(found)


def as_json(value: Any) -> None:
    """Print a value as JSON, dates in ISO 8601."""
    said = json.dumps(value, ensure_ascii=True, indent=2, default=_iso)
    console().print(said, markup=False, highlight=False, soft_wrap=True)


def console() -> Console:
    """Where output goes now; made anew, so that tests and pipes see it."""
    return Console(highlight=False)


def _iso(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
