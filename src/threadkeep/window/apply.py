"""Apply policies to a conversation, one after the other."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Sequence

from threadkeep.errors import ConfigError
from threadkeep.messages.tool_groups import Conversation, flatten
from threadkeep.printable import shown
from threadkeep.protocols import Policy
from threadkeep.types import Item
from threadkeep.window.left_out import Stage
from threadkeep.window.policies.budgets import Budget
from threadkeep.window.policies.choice import Choice
from threadkeep.window.policies.traits import traits_of
from threadkeep.window.repair import repair_selection


def apply_all(policies: Sequence[Policy], view: Conversation) -> list[Stage]:
    """What each policy left; something is always left unless there was nothing."""
    stages: list[Stage] = [(None, view)]
    items: Sequence[Item] = view
    for policy in policies:
        items = apply(policy, items)
        stages.append((policy, items))
    if not items:
        stages.append((stages[-1][0], flatten(view.groups[-1:])))
    return stages


def apply(policy: Policy, items: Sequence[Item]) -> Sequence[Item]:
    """What a policy leaves, put right if it does not keep the rules of a window itself."""
    if isinstance(policy, Budget):
        return policy.choose(items)
    traits = traits_of(policy)
    if traits.sound:
        chosen_items = policy(items)
        return items if _is_all(chosen_items, items) else list(chosen_items)
    chosen_items = _items_of(policy, policy(list(items)))
    return repair_selection(items, chosen_items, require_newest=not traits.filters)


def _items_of(policy: Policy, answer: object) -> list[Item]:
    if not isinstance(answer, Iterable):
        raise ConfigError(
            f"the policy {shown(policy)} must take a list of Items and return those it keeps, "
            f"got {'None' if answer is None else f'a {type(answer).__name__}'}"
        )
    chosen_items = list(answer)
    wrong_type = next((type(item) for item in chosen_items if not isinstance(item, Item)), None)
    if wrong_type:
        raise ConfigError(
            f"the policy {shown(policy)} must return Items, got a {wrong_type.__name__}"
        )
    return chosen_items


def _is_all(chosen_items: Sequence[Item], items: Sequence[Item]) -> bool:
    """Return True if nothing was taken out or changed: the items keep their tool groups."""
    return len(chosen_items) == len(items) and all(map(operator.is_, chosen_items, items))


def excess(policies: Sequence[Policy], stages: Sequence[Stage]) -> int:
    """By how much what is left is over its budget: tokens, if one of the budgets counts these."""
    is_over_budget = any(type(items) is Choice and items.over for _, items in stages)
    if is_over_budget or (len(policies) > 1 and _may_lengthen(policies)):
        return _excess(policies, stages[-1][1])
    return 0


def _may_lengthen(policies: Sequence[Policy]) -> bool:
    """Return True if a policy behind a budget may change items, as `with_times` does."""
    later_policies = itertools.dropwhile(lambda policy: not isinstance(policy, Budget), policies)
    return not all(traits_of(policy).part for policy in later_policies)


def _excess(policies: Sequence[Policy], items: Sequence[Item]) -> int:
    excess_by_name = {
        policy.name: policy.excess(items) for policy in policies if isinstance(policy, Budget)
    }
    return excess_by_name.get("max_tokens") or max(excess_by_name.values(), default=0)


def changed_ids(selected: Sequence[Item], view: Sequence[Item]) -> frozenset[str]:
    """The ids of the items that are no longer those of the view."""
    view_identities = set(map(id, view))
    return frozenset(item.id for item in selected if id(item) not in view_identities)
