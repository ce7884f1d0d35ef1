"""The units that budgets count and drop as one, and the groups that no budget drops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from threadkeep.errors import ConfigError
from threadkeep.messages.tool_groups import Conversation, ToolGroup, is_tool_result
from threadkeep.printable import shown
from threadkeep.types import Item

Unit = list[ToolGroup]
PinPredicate = Callable[[Item], bool]

FEWEST_OF_A_RUN: Final = 4
"""A turn of so many user messages is never cut where turns are counted: people write in pieces."""


def pins_nothing(_: Item) -> bool:
    """Pins no item."""
    return False


def one_per_item(_: Item) -> int:
    """The cost of an item where items are counted."""
    return 1


def single_groups(groups: Sequence[ToolGroup]) -> list[Unit]:
    """Each group as a unit of its own."""
    return [[group] for group in groups]


def group_cost(group: ToolGroup, cost: Callable[[Item], int] | None) -> int:
    """The cost of all items of a group; `None` counts them."""
    if cost is one_per_item or cost is None:
        return len(group.order)
    return sum([cost(item) for _, item in group.order])


def newest_user_unit(units: Sequence[Unit]) -> set[int]:
    """The index of the unit with the newest user message, as a set; empty without one."""
    for unit_index in range(len(units) - 1, -1, -1):
        if units[unit_index][0].speaker == "user":
            return {unit_index}
    return set()


def last_step(groups: Sequence[ToolGroup]) -> set[int]:
    """The indexes of the newest calls with their results, if they end the conversation.

    No budget drops them: a model that does not see a result it just got repeats the call.
    """
    if not groups:
        return set()
    head_index = max(index for index, item in groups[-1].order if not is_tool_result(item))
    group_indexes = {index for index, group in enumerate(groups) if group.order[-1][0] > head_index}
    return group_indexes | {len(groups) - 1} if groups[-1].calls else group_indexes


def required_groups(groups: Sequence[ToolGroup]) -> set[int]:
    """The indexes of groups that no budget drops: the newest user message and the last step."""
    user_group_index = newest_user_group(groups)
    return last_step(groups) | ({user_group_index} if user_group_index >= 0 else set())


def newest_user_group(groups: Sequence[ToolGroup]) -> int:
    """The index of the newest user message; -1 without one."""
    group_index = len(groups) - 1
    while group_index >= 0 and groups[group_index].speaker != "user":
        group_index -= 1
    return group_index


def newest_user_index(view: Conversation) -> int:
    """The index of the newest user message among the items; -1 without one."""
    if not view.contiguous:
        user_group_index = newest_user_group(view.groups)
        head_item = view.groups[user_group_index].heads[0] if user_group_index >= 0 else None
        return next((item_index for item_index, item in enumerate(view) if item is head_item), -1)
    item_index = len(view) - 1
    while item_index >= 0 and view[item_index].role != "user":
        item_index -= 1
    return item_index


def user_run_front(
    groups: Sequence[ToolGroup], limit: int, cost: Callable[[Item], int] | None = None
) -> int:
    """The index of the oldest group, so that no run of user messages is over the limit.

    The newest run that is over it is cut, and so is what stands before it.

    Args:
        groups: the conversation.
        limit: the most that one run may be.
        cost: the cost of a message; `None` counts messages.
    """
    run_cost, newest_index = 0, -1
    for group_index in range(len(groups) - 1, -1, -1):
        head_item = groups[group_index].heads[0]
        if head_item.role != "user" or head_item.tool_calls:
            run_cost, newest_index = 0, -1
            continue
        newest_index = max(newest_index, group_index)
        run_cost += cost(head_item) if cost else 1
        if run_cost > limit and group_index < newest_index:
            return group_index + 1
    return 0


def positive_int(name: str, n: int) -> int:
    """Return the limit.

    Raises:
        ConfigError: it is not a whole number above 0.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ConfigError(f"{name} must be a whole number of at least 1, got {shown(n)}")
    return n


def check_step(step: float) -> float:
    """Return the step as a float.

    Raises:
        ConfigError: it is not a number from 0 to below 1.
    """
    if isinstance(step, bool) or not isinstance(step, (int, float)) or not 0 <= step < 1:
        raise ConfigError(f"step must be a number from 0 to below 1, got {shown(step)}")
    return float(step)
