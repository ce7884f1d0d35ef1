"""`threadkeep usage`: what calls to models took."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Final

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli.output import print_json, print_line, print_table
from threadkeep.cli.store import require_existing
from threadkeep.types.usage import UsageRow

_COLUMNS: Final = (
    "calls",
    "unmetered",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
)


class UsageBy(StrEnum):
    """What `--by` groups calls by."""

    MODEL = "model"
    DAY = "day"
    SESSION = "session"
    RUN = "run"
    CALL = "call"
    TOOL = "tool"


def usage(
    memory: Memory,
    by: Annotated[UsageBy, typer.Option(help="What a row is of.")] = UsageBy.MODEL,
    user: Annotated[str | None, typer.Option(help="Only this user's.")] = None,
    session: Annotated[str | None, typer.Option(help="Only of this session.")] = None,
    since: Annotated[str | None, typer.Option(help="A date, ISO 8601.")] = None,
    until: Annotated[str | None, typer.Option(help="A date, ISO 8601; that day excluded.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many rows at most.")] = 100,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Add up calls to models and their tokens, by model, day, session, run, call or tool.

    It reads all sessions in question, so it takes its time in a large store.
    """
    usage_page = require_existing(memory).usage(
        by=by.value, user=user, session=session, since=since, until=until, limit=limit
    )
    if json:
        print_json([asdict(row) for row in usage_page])
    else:
        _print_rows(by, list(usage_page))
    if usage_page.cursor is not None and not json:
        print_line(f"... and more; --limit shows up to 1000 ({limit} shown)", err=True)


def _print_rows(by: UsageBy, rows: list[UsageRow]) -> None:
    has_session = by in {UsageBy.RUN, UsageBy.CALL}
    key_columns = ("session", by.value) if has_session else (by.value,)
    print_table(
        (*key_columns, *(field_name.removesuffix("_tokens") for field_name in _COLUMNS)),
        [
            (
                *((row.session, row.key) if has_session else (row.key,)),
                *(getattr(row, field_name) for field_name in _COLUMNS),
            )
            for row in rows
        ],
    )
