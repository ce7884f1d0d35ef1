"""The position of a turn in the state of a graph, where another process resumes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypedDict


class HeldMessage(NamedTuple):
    """A message of the state that is stored: its record id, and what it said when last seen."""

    record: str
    checksum: int


class TurnPosition(TypedDict):
    """The position of a turn, saved in the graph's state so that another process can resume it.

    `opening` is LangChain's id of the question, `turn` its record id, `seq` its seq; from the seq
    `since` on, only messages of the turn itself belong to the run. `run` names the run, `lineage`
    the state (`None` = no checkpointer keeps it), `last` is the seq of the newest item that was
    stored of it, `held` has a `HeldMessage` for each message id, and `repeated` the ids of messages
    that say again what others of the state hold. `parts` has the record ids of what a message
    consists of beside its own item.
    """

    opening: str | None
    turn: str | None
    seq: int
    since: int
    run: str
    lineage: str | None
    last: int
    held: dict[str, Sequence[Any]]
    repeated: list[str]
    parts: dict[str, list[str]]


def held_of(position: Mapping[str, Any] | None) -> dict[str, HeldMessage]:
    """Return the held messages of a position."""
    fields_by_id = (position or {}).get("held") or {}
    return {
        message_id: HeldMessage(*message_fields)
        for message_id, message_fields in fields_by_id.items()
    }
