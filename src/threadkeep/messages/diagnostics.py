"""Problems in a history: unanswered calls, results without a call, unreadable records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from threadkeep.messages.tool_groups import ToolGroup, is_visible, tool_groups
from threadkeep.types import Item


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem that windows work around.

    Attributes:
        item: the id of the affected item.
        seq: the seq of that item.
        problem: `unanswered call`, `result without call` or `unreadable record`.
        detail: the call or the reason.
        useless: True if no window ever shows the item, so deleting it changes nothing.
    """

    item: str
    seq: int
    problem: str
    detail: str
    useless: bool


def findings(items: Sequence[Item]) -> list[Finding]:
    """The problems in the order of the history; pending calls at the very end are none."""
    unreadable = [
        Finding(i.id, i.seq, "unreadable record", str(i.metadata["unreadable"]), useless=True)
        for i in items
        if i.type == "opaque" and "unreadable" in i.metadata
    ]
    groups, orphans = tool_groups(item for item in items if is_visible(item))
    lost = [
        Finding(o.id, o.seq, "result without call", o.tool_call_id or "no id", useless=True)
        for o in orphans
    ]
    broken = [finding for group in _without_pending(groups) for finding in _unanswered(group)]
    return sorted([*unreadable, *lost, *broken], key=lambda finding: finding.seq)


def _without_pending(groups: Sequence[ToolGroup]) -> list[ToolGroup]:
    pending = bool(groups) and groups[-1].open and not any(groups[-1].answers)
    return list(groups[:-1] if pending else groups)


def _unanswered(group: ToolGroup) -> list[Finding]:
    head = group.heads[-1]
    return [
        Finding(head.id, head.seq, "unanswered call", f"{call.get('name')} {call.get('id')}", False)
        for call, answer in zip(group.calls, group.answers, strict=True)
        if answer is None
    ]
