"""Budgets: the newest whole groups that fit, always with the newest question and last step."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from threadkeep.messages.tool_groups import (
    Conversation,
    ToolGroup,
    flatten,
    is_tool_result,
    tool_groups,
)
from threadkeep.types import Item
from threadkeep.window.policies.choice import Choice
from threadkeep.window.policies.step_front import anchor
from threadkeep.window.policies.traits import PolicyTraits
from threadkeep.window.policies.units import (
    FEWEST_OF_A_RUN,
    PinPredicate,
    Unit,
    group_cost,
    last_step,
    newest_user_group,
    newest_user_index,
    newest_user_unit,
    one_per_item,
    pins_nothing,
    single_groups,
    user_run_front,
)
from threadkeep.window.shorten.caps import ResultCap


@dataclass(frozen=True)
class Budget:
    """The newest units that fit into a limit; created by `max_messages`, `max_tokens` and the like.

    Attributes:
        limit: the maximum total cost.
        cost: the cost of one item; `None` counts units.
        units: combines groups into the units that are kept or dropped as one.
        step: 0 moves the front with every item; 0.5 moves it seldom, and then far enough to free
            about half, so that the beginning of the prompt stays the same (and cached) for many
            turns. The front depends on the seqs and costs of the newest items alone, so all
            workers agree, and it never moves back while the conversation grows. With
            `max_messages` it moves only when the limit would be exceeded. With other budgets it
            may move earlier, at most about twice as often: unequal costs give no fixed grid.
        stride: the preferred distance, in seqs, between positions of a stepping front.
        pinned: a predicate of items that stay whatever the limit.
        reach: how many items the first read should bring.
        name: what the application calls it.
        result_cap: how much of the limit tool results may take; `None` = any size counts alike.
    """

    limit: int
    cost: Callable[[Item], int] | None
    units: Callable[[Sequence[ToolGroup]], list[Unit]]
    step: float = 0.0
    stride: int | None = None
    pinned: PinPredicate = pins_nothing
    reach: int = 64
    name: str = "budget"
    result_cap: ResultCap | None = None

    @functools.cached_property
    def traits(self) -> PolicyTraits:
        return PolicyTraits(reach=self.reach, step=bool(self.step), sound=True, part=True)

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        return list(self.choose(items))

    def choose(self, items: Sequence[Item]) -> Choice:
        """The items that stay; they must not be changed."""
        if not isinstance(items, Conversation):
            return self._choose(items)
        cached_choice = items.cached_choice
        if (
            cached_choice is not None
            and cached_choice[0] is self
            and isinstance(cached_choice[1], Choice)
        ):
            return cached_choice[1]
        choice = self._choose(items)
        items.cached_choice = (self, choice)
        return choice

    def need(self, items: Sequence[Item]) -> bool:
        """Return True if older items could enter: all fit, or the oldest is in a unit kept."""
        choice = self.choose(items)
        return len(choice) == len(items) or self._first(choice) is self._first(items)

    def _first(self, items: Sequence[Item]) -> Item | None:
        """The first item that is not there for being pinned."""
        if self.pinned is pins_nothing:
            return items[0] if items else None
        return next((item for item in items if not self.pinned(item)), None)

    def bind(self, *, now: float, pinned: PinPredicate) -> Budget:
        return self if pinned is self.pinned else dataclasses.replace(self, pinned=pinned)

    def excess(self, items: Sequence[Item]) -> int:
        """By how much the items are over the limit; 0 = they fit."""
        if self.cost is not None:
            return max(0, sum(map(self.cost, items)) - self.limit)
        return max(0, len(self.units(tool_groups(items)[0])) - self.limit)

    def _choose(self, items: Sequence[Item]) -> Choice:
        if isinstance(items, Conversation) and self._is_simple:
            newest_choice = self._newest(items) if items.contiguous else self._newest_groups(items)
            if newest_choice is not None:
                return newest_choice
        groups = tool_groups(items)[0]
        last_groups = [groups[group_index] for group_index in sorted(last_step(groups))]
        return self._select(self._units(groups), last_groups) if groups else Choice()

    def _units(self, groups: list[ToolGroup]) -> list[Unit]:
        """The units; if turns are counted, from a run of more user messages than turns may be."""
        if self.cost is not None:
            return self.units(groups)
        max_unit_length = max(self.limit, FEWEST_OF_A_RUN)
        units = self.units(groups)
        if all(len(unit) <= max_unit_length for unit in units):
            return units
        front_index = user_run_front(groups, max_unit_length)
        pinned_groups = [group for group in groups[:front_index] if self._is_pinned([group])]
        return self.units([*pinned_groups, *groups[front_index:]])

    @property
    def _is_simple(self) -> bool:
        """True without pins, steps or units larger than a group, so a faster path applies."""
        return (
            self.units is single_groups
            and self.cost is not None
            and not self.step
            and self.pinned is pins_nothing
        )

    def _newest(self, view: Conversation) -> Choice | None:
        """The newest items that fit, if contiguous; `None` if the newest question does not fit."""
        start_index = self._first_that_fits(view)
        while start_index < len(view) and is_tool_result(view[start_index]):
            start_index += 1  # its call does not fit
        return (
            Choice(view[start_index:]) if start_index <= max(0, newest_user_index(view)) else None
        )

    def _first_that_fits(self, view: Conversation) -> int:
        cost = self.cost
        if cost is one_per_item or cost is None:
            return max(0, len(view) - self.limit)
        total_cost, start_index = 0, len(view)
        while (
            start_index and (total_cost := total_cost + cost(view[start_index - 1])) <= self.limit
        ):
            start_index -= 1
        return start_index

    def _newest_groups(self, view: Conversation) -> Choice | None:
        """The newest groups that fit; `None` if the newest question or last step does not."""
        groups = view.groups
        remaining_budget, start_index = self.limit, len(groups)
        while (
            start_index
            and (remaining_budget := remaining_budget - self._group_cost(groups[start_index - 1]))
            >= 0
        ):
            start_index -= 1
        if start_index and start_index > min({newest_user_group(groups), *last_step(groups)}):
            return None
        return Choice(flatten(groups[start_index:]))

    def _select(self, units: list[Unit], last_groups: list[ToolGroup]) -> Choice:
        required_indexes = newest_user_unit(units)
        if self.pinned is not pins_nothing:
            required_indexes.update(
                unit_index for unit_index, unit in enumerate(units) if self._is_pinned(unit)
            )
        prepaid_groups = [
            *last_groups,
            *(group for unit_index in required_indexes for group in units[unit_index]),
        ]
        chosen_unit_indexes, is_over = self._newest_units(units, required_indexes, prepaid_groups)
        if not chosen_unit_indexes and not last_groups:
            chosen_unit_indexes, is_over = [len(units) - 1], True
        group_by_identity = {
            id(group): group for unit_index in chosen_unit_indexes for group in units[unit_index]
        }
        group_by_identity |= {id(group): group for group in last_groups}
        choice = Choice(flatten(group_by_identity.values()))
        if is_over:
            choice.over = self.excess(choice)
        return choice

    def _newest_units(
        self, units: list[Unit], required_indexes: set[int], prepaid: list[ToolGroup]
    ) -> tuple[list[int], bool]:
        """The indexes of the units that stay, and whether they may be over the limit."""
        prepaid_by_id = {id(group): group for group in prepaid}
        total_cost = len(required_indexes)
        if self.cost is not None:
            total_cost = self._unit_cost(list(prepaid_by_id.values()))
        is_over = total_cost > self.limit or (self.cost is None and len(prepaid) > self.limit)
        selected_indexes, candidate_indexes = set(required_indexes), list[int]()
        for unit_index in range(len(units) - 1, -1, -1):
            unpaid_groups = [group for group in units[unit_index] if id(group) not in prepaid_by_id]
            if unit_index in required_indexes:
                pass
            elif (total_cost := total_cost + self._unit_cost(unpaid_groups)) > self.limit:
                front_index = (
                    anchor(units, candidate_indexes[::-1], self.stride)
                    if candidate_indexes
                    else unit_index
                )
                return sorted(
                    kept_index
                    for kept_index in selected_indexes
                    if kept_index >= front_index or kept_index in required_indexes
                ), is_over
            selected_indexes.add(unit_index)
            if self.step and total_cost >= self.limit * (1 - self.step):
                candidate_indexes.append(unit_index)
        return sorted(selected_indexes), is_over

    def _unit_cost(self, unit: Unit) -> int:
        return 1 if self.cost is None else sum(map(self._group_cost, unit))

    def _group_cost(self, group: ToolGroup) -> int:
        return group_cost(group, self.cost)

    def _is_pinned(self, unit: Unit) -> bool:
        return any(self.pinned(head_item) for group in unit for head_item in group.heads)
