"""Cut a run of unanswered user messages to a budget before it becomes one message."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from threadkeep.messages.tool_groups import flatten, tool_groups
from threadkeep.protocols import Policy
from threadkeep.types import Item
from threadkeep.window.policies.budgets import Budget
from threadkeep.window.policies.traits import PolicyTraits, traits_of
from threadkeep.window.policies.units import (
    PinPredicate,
    one_per_item,
    pins_nothing,
    user_run_front,
)


@dataclass(frozen=True)
class UserRun:
    """The conversation from the newest run of user messages that is over a limit."""

    name: str
    limit: int
    cost: Callable[[Item], int] | None
    pinned: PinPredicate = pins_nothing
    traits: ClassVar[PolicyTraits] = PolicyTraits(sound=True, part=True)

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        groups = tool_groups(items)[0]
        front_index = user_run_front(groups, self.limit, self.cost)
        pinned_groups = [
            group for group in groups[:front_index] if any(map(self.pinned, group.heads))
        ]
        return flatten([*pinned_groups, *groups[front_index:]])

    def need(self, items: Sequence[Item]) -> bool:
        """Return True if no run is over the limit, so that older items may be there."""
        return user_run_front(tool_groups(items)[0], self.limit, self.cost) == 0

    def bind(self, *, now: float, pinned: PinPredicate) -> UserRun:
        return dataclasses.replace(self, pinned=pinned)


def with_user_runs(policies: Sequence[Policy]) -> Sequence[Policy]:
    """The policies, with a cut of user messages before each that merges them.

    A merged message cannot be cut any more, and the newest one is in every window; so the run is
    cut to the budgets behind the policy that merges it. A budget of messages counts it as one.
    """
    if not any(traits_of(policy).merges for policy in policies):
        return policies
    return [
        expanded_policy
        for policy_index in range(len(policies))
        for expanded_policy in _with_cuts(policies, policy_index)
    ]


def _with_cuts(policies: Sequence[Policy], index: int) -> Iterator[Policy]:
    policy = policies[index]
    if traits_of(policy).merges:
        for budget in policies[index + 1 :]:
            if isinstance(budget, Budget) and budget.cost not in (None, one_per_item):
                yield UserRun(budget.name, budget.limit, budget.cost)
    yield policy
