"""`threadkeep views`: messages, responses, token usage and feedback for tools that speak SQL."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from threadkeep.api import sql_views
from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.store import present


class Act(StrEnum):
    """What is done with them."""

    CREATE = "create"
    DROP = "drop"
    SHOW = "show"


def views(
    memory: Memory,
    act: Annotated[Act, typer.Argument(help="show prints the SQL, and does nothing.")],
) -> None:
    """Make, drop or show the views for analytics, in SQL databases and SQLite.

    They show live records only, of all namespaces of the store; docs/reference/views.md names
    every column.
    """
    if act is Act.DROP:
        for name in sql_views.drop(present(memory)):
            output.line(f"{name} dropped")
        return
    texts = sql_views.statements(memory)  # says first whether there are any for this store
    lines = (
        [f"{text};" for text in texts.values()]
        if act is Act.SHOW
        else [f"{name} made" for name in sql_views.create(present(memory))]
    )
    output.block("\n".join(lines))
