"""`threadkeep recall`: search a user's sessions and facts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final, Literal

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli.output import format_time, print_json, print_line, print_table
from threadkeep.cli.store import require_existing
from threadkeep.longterm.recall.hits import Hit
from threadkeep.types.html_table import truncate

_INCOMPLETE: Final = (
    "older items were not searched: they are in no index yet; memory.index() in Python reads all"
)


def recall(
    memory: Memory,
    user: Annotated[str, typer.Argument(help="Whose sessions and facts.")],
    query: Annotated[str, typer.Argument(help="A question, or some words.")],
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many at most.")] = 10,
    kind: Annotated[
        Literal["fact", "item"] | None, typer.Option(help="Only facts, or only items.")
    ] = None,
    session: Annotated[str | None, typer.Option(help="Only of this session.")] = None,
    role: Annotated[str | None, typer.Option(help="Only what this role said; no facts.")] = None,
    since: Annotated[str | None, typer.Option(help="Only from this time on (ISO 8601).")] = None,
    until: Annotated[str | None, typer.Option(help="Only before this time (ISO 8601).")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Find what was said, or is known of a user, by words: the best answers first."""
    owner = require_existing(memory).user(user)
    hits = owner.recall(query, k, kind=kind, session=session, role=role, since=since, until=until)
    if json:
        print_json([_hit_json(hit) for hit in hits])
    else:
        print_table(("score", "session", "when", "who", "said"), map(_row, hits))
    if not hits.complete:
        print_line(_INCOMPLETE, err=True)


def _hit_json(hit: Hit) -> dict[str, object]:
    return {
        "score": hit.score,
        "session": hit.session,
        "item": None if hit.item is None else asdict(hit.item),
        "fact": None if hit.fact is None else asdict(hit.fact),
        "why": [asdict(reason) for reason in hit.why],
    }


def _row(hit: Hit) -> tuple[object, ...]:
    if hit.fact is not None:
        time_and_author: tuple[object, ...] = (format_time(hit.fact.observed_at), "fact")
    else:
        item = hit.item
        time_and_author = (
            (format_time(item.created_at), item.name or item.role) if item else ("", "")
        )
    return f"{hit.score:.2f}", hit.session, *time_and_author, truncate(hit.text)
