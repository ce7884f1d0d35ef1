"""What is broken in a history: calls never answered, results without a call, unreadable records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from threadkeep.messages.tool_groups import ToolGroup, group, visible
from threadkeep.types import Item


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that windows have to work around.

    Attributes:
        item: the id of the item it is about.
        seq: its place.
        problem: `unanswered call`, `result without call` or `unreadable record`.
        detail: which call, or why.
        useless: whether no window will ever show the item, so that deleting it changes nothing.
    """

    item: str
    seq: int
    problem: str
    detail: str
    useless: bool


def findings(items: Sequence[Item]) -> list[Finding]:
    """What is broken, in the order of the history; calls open at the very end are not."""
    unreadable = [
        Finding(i.id, i.seq, "unreadable record", str(i.metadata["unreadable"]), useless=True)
        for i in items
        if i.type == "opaque" and "unreadable" in i.metadata
    ]
    groups, orphans = group(item for item in items if visible(item))
    lost = [
        Finding(o.id, o.seq, "result without call", o.tool_call_id or "no id", useless=True)
        for o in orphans
    ]
    broken = [found for part in _closed(groups) for found in _unanswered(part)]
    return sorted([*unreadable, *lost, *broken], key=lambda found: found.seq)


def _closed(groups: Sequence[ToolGroup]) -> list[ToolGroup]:
    pending = bool(groups) and groups[-1].open and not any(groups[-1].answers)
    return list(groups[:-1] if pending else groups)


def _unanswered(part: ToolGroup) -> list[Finding]:
    head = part.heads[-1]
    return [
        Finding(head.id, head.seq, "unanswered call", f"{call.get('name')} {call.get('id')}", False)
        for call, answer in zip(part.calls, part.answers, strict=True)
        if answer is None
    ]
