"""`threadkeep views`: SQL views of messages, responses, token usage and feedback."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from threadkeep.api import sql_views
from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.store import require_existing


class ViewAction(StrEnum):
    """What to do with the views."""

    CREATE = "create"
    DROP = "drop"
    SHOW = "show"


def views(
    memory: Memory,
    act: Annotated[ViewAction, typer.Argument(help="show prints the SQL, and does nothing.")],
) -> None:
    """Make, drop or show the views for analytics, in SQL databases and SQLite.

    They show live records only, of all namespaces of the store; docs/reference/views.md names
    every column.
    """
    if act is ViewAction.DROP:
        for view_name in sql_views.drop(require_existing(memory)):
            output.print_line(f"{view_name} dropped")
        return
    statements = sql_views.statements(memory)  # says first whether there are any for this store
    lines = (
        [f"{text};" for text in statements.values()]
        if act is ViewAction.SHOW
        else [f"{view_name} made" for view_name in sql_views.create(require_existing(memory))]
    )
    output.print_block("\n".join(lines))
