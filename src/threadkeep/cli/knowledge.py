"""`threadkeep facts` and `threadkeep instructions`: see and correct what is known of a user."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli.dates import Since, Until, period
from threadkeep.cli.output import format_time, print_json, print_line, print_table
from threadkeep.cli.store import require_existing
from threadkeep.errors import NotFound
from threadkeep.printable import shown


class StatusChoice(StrEnum):
    """Of which status."""

    ACTIVE = "active"
    QUARANTINED = "quarantined"
    SUPERSEDED = "superseded"
    ALL = "all"


User = Annotated[str, typer.Argument(help="Of whom.")]
Chosen = Annotated[StatusChoice, typer.Option("--status", help="Only of this status.")]
Approve = Annotated[
    list[str] | None,
    typer.Option("--approve", help="Make the one of this id active.", show_default=False),
]
Forget = Annotated[
    list[str] | None,
    typer.Option("--forget", help="Remove the one of this id for good.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def facts(
    memory: Memory,
    user: User,
    status: Chosen = StatusChoice.ACTIVE,
    since: Since = None,
    until: Until = None,
    approve: Approve = None,
    forget: Forget = None,
    json: Json = False,
) -> None:
    """List the facts that are known of a user, with their ids and where they come from.

    --approve and --forget correct them first. Dates are those at which it was said last.
    """
    collection = require_existing(memory).user(user).facts
    _correct(collection, approve, forget)
    _print(collection, status, since, until, json)


def instructions(
    memory: Memory,
    user: User,
    status: Chosen = StatusChoice.ACTIVE,
    since: Since = None,
    until: Until = None,
    approve: Approve = None,
    forget: Forget = None,
    json: Json = False,
) -> None:
    """List how a user wants to be served; `--status quarantined` waits for approval.

    --approve and --forget correct them first. Dates are those at which it was said last.
    """
    collection = require_existing(memory).user(user).instructions
    _correct(collection, approve, forget)
    _print(collection, status, since, until, json)


def _correct(collection: Any, approve_ids: list[str] | None, forget_ids: list[str] | None) -> None:
    for entry_id in [*(approve_ids or ()), *(forget_ids or ())]:
        if collection.get(entry_id) is None:
            raise NotFound(f"there is no {shown(entry_id)}; --status all shows all ids there are")
    for entry_id in approve_ids or ():
        collection.update(entry_id, status="active")
        print_line(f"{shown(entry_id)} is active", err=True)
    for entry_id in forget_ids or ():
        collection.forget(entry_id)
        print_line(f"{shown(entry_id)} is forgotten", err=True)


def _print(
    collection: Any, status: StatusChoice, since: str | None, until: str | None, json: bool
) -> None:
    dates = period(since, until)
    status_name = None if status is StatusChoice.ALL else status.value
    entries = [e for e in collection.list(status=status_name) if dates.has(e.observed_at)]
    if json:
        print_json([asdict(entry) for entry in entries])
        return
    print_table(
        ("id", "status", "said", "learned by", "text"),
        [(e.id, e.status, format_time(e.observed_at), e.extractor, e.text) for e in entries],
    )
