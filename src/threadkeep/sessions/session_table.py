"""Lists of sessions, as notebooks show them."""

from __future__ import annotations

from datetime import datetime

from threadkeep.printable import counted
from threadkeep.types import Listing, SessionInfo
from threadkeep.types.html_table import Cell, table


class SessionListing(Listing[SessionInfo]):
    """Sessions; a table in a notebook."""

    def _repr_html_(self) -> str:
        return sessions_table(self)


def sessions_table(listed: Listing[SessionInfo], limit: int = 50) -> str:
    """The first sessions of a list as an HTML table."""
    table_rows = [_row(session_info) for session_info in listed[:limit]]
    has_more = listed.cursor is not None or len(listed) > limit
    count_text = f"{limit} of more sessions" if has_more else counted(len(table_rows), "session")
    return table(table_rows, count_text)


def _row(info: SessionInfo) -> list[Cell]:
    owner_label = f"of {info.user}" if info.user is not None else ""
    return [
        Cell(info.title or info.id),
        Cell(info.id if info.title else "", quiet=True),
        Cell(owner_label, quiet=True),
        Cell(_minute(info.updated_at), quiet=True),
    ]


def _minute(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
