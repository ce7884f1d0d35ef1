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
    unreadable_findings = [
        Finding(
            item.id, item.seq, "unreadable record", str(item.metadata["unreadable"]), useless=True
        )
        for item in items
        if item.type == "opaque" and "unreadable" in item.metadata
    ]
    groups, orphans = tool_groups(item for item in items if is_visible(item))
    orphan_findings = [
        Finding(
            orphan.id,
            orphan.seq,
            "result without call",
            orphan.tool_call_id or "no id",
            useless=True,
        )
        for orphan in orphans
    ]
    call_findings = [
        finding for group in _without_pending(groups) for finding in _unanswered(group)
    ]
    findings = [*unreadable_findings, *orphan_findings, *call_findings]
    return sorted(findings, key=lambda finding: finding.seq)


def _without_pending(groups: Sequence[ToolGroup]) -> list[ToolGroup]:
    is_pending = bool(groups) and groups[-1].open and not any(groups[-1].answers)
    return list(groups[:-1] if is_pending else groups)


def _unanswered(group: ToolGroup) -> list[Finding]:
    head_item = group.heads[-1]
    return [
        Finding(
            head_item.id,
            head_item.seq,
            "unanswered call",
            f"{call.get('name')} {call.get('id')}",
            False,
        )
        for call, answer in zip(group.calls, group.answers, strict=True)
        if answer is None
    ]
