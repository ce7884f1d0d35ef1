"""What a window leaves out, and why."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from threadkeep.messages.tool_groups import is_visible
from threadkeep.protocols import Policy
from threadkeep.types import Item
from threadkeep.window.policies.traits import traits_of

SHORTENED: Final = "shortened"
NOT_VISIBLE: Final = "not visible"
NO_CALL: Final = "no call"

_MOST_RANGES: Final = 20

Stage = tuple[Policy | None, Sequence[Item]]
"""The items that a policy left; `None` before the first one."""


class LeftOutRange(NamedTuple):
    """Items left out for one reason, with none of the window between: the seqs of both ends."""

    first: int
    last: int
    reason: str
    items: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a window leaves out, and why; false if it shows all of a session as it is.

    The reasons are the name of the policy that left an item out (`max_tokens`), `no call` (a tool
    result whose call is gone), `not visible` (notices, and records that cannot be read) and
    `shortened` (a text of which the window shows a part).

    Attributes:
        counts: how many items, by reason.
        ranges: where they are, oldest first; the newest 20 of them.
        unread_before: older items than this seq were not looked at, if there are any; `None` = the
            window looked at all.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    ranges: Sequence[LeftOutRange] = ()
    unread_before: int | None = None

    def __bool__(self) -> bool:
        return bool(self.counts) or self.unread_before is not None


def left_out(
    read: Sequence[Item],
    view: Sequence[Item],
    stages: Sequence[Stage],
    unread_before: int | None,
) -> LeftOut:
    """Compare what was read with what is left.

    Args:
        read: the items that were read.
        view: the conversation that they make, repaired.
        stages: that conversation with large results cut, and what each policy left of it.
        unread_before: as in `LeftOut`.
    """
    visible_items = [item for item in read if is_visible(item)]
    reason_by_seq = _shortened(view, stages)
    final_seqs = {item.seq for item in stages[-1][1]}  # also what was put back at the end
    policy_steps = [(_name(policy), items) for policy, items in stages[1:]]
    reason_steps = [("", read), (NOT_VISIBLE, visible_items), (NO_CALL, view), *policy_steps]
    for (_, previous_items), (reason, next_items) in itertools.pairwise(reason_steps):
        next_seqs = final_seqs.union(item.seq for item in next_items)
        if reason:
            reason_by_seq |= {
                item.seq: reason for item in previous_items if item.seq not in next_seqs
            }
    no_reason_by_seq: dict[int, str | None] = {item.seq: None for item in stages[-1][1]}
    counts = dict(Counter(reason_by_seq.values()))
    return LeftOut(counts, _ranges({**no_reason_by_seq, **reason_by_seq}), unread_before)


def _name(policy: Policy | None) -> str:
    """What an application calls a policy; empty for one that merges, which leaves nothing out."""
    if policy is None or traits_of(policy).merges:
        return ""
    policy_name = getattr(policy, "name", None) or getattr(policy, "__name__", None)
    return str(policy_name or type(policy).__name__)


def _shortened(view: Sequence[Item], stages: Sequence[Stage]) -> dict[int, str]:
    """The items of the window of which a part was cut."""
    view_identities = set(map(id, view))
    changed_seqs = {item.seq for item in stages[0][1] if id(item) not in view_identities}
    return {item.seq: SHORTENED for item in stages[-1][1] if item.seq in changed_seqs}


def _ranges(reason_by_seq: Mapping[int, str | None]) -> list[LeftOutRange]:
    ranges = []
    for reason, seq_run in itertools.groupby(sorted(reason_by_seq), key=reason_by_seq.__getitem__):
        range_seqs = list(seq_run)
        if reason is not None:
            ranges.append(LeftOutRange(range_seqs[0], range_seqs[-1], reason, len(range_seqs)))
    return ranges[-_MOST_RANGES:]
