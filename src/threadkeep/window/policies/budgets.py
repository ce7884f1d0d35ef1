"""Budgets: the newest whole groups that fit, always with the newest user turn and last step."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from threadkeep.core.parts import PartialMetadata, unread_lengths
from threadkeep.errors import ConfigError
from threadkeep.messages.tool_groups import (
    Conversation,
    ToolGroup,
    exchanges,
    flatten,
    is_tool_result,
    tool_groups,
    turns,
)
from threadkeep.protocols import TokenCounter
from threadkeep.types import Item
from threadkeep.window import tokens
from threadkeep.window.policies.traits import PolicyTraits
from threadkeep.window.policies.units import (
    PinPredicate,
    Unit,
    check_step,
    last_step,
    newest_turn_group,
    newest_turn_start,
    newest_user_turn,
    pins_nothing,
    positive_int,
    single_groups,
)


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
            may move earlier, at most about twice as often as necessary: items of unequal cost
            give no fixed grid that every worker could derive from the newest ones.
        stride: the preferred distance, in seqs, between positions of a stepping front.
        pinned: a predicate of items that stay whatever the limit.
        reach: how many items the first read should bring.
    """

    limit: int
    cost: Callable[[Item], int] | None
    units: Callable[[Sequence[ToolGroup]], list[Unit]]
    step: float = 0.0
    stride: int | None = None
    pinned: PinPredicate = pins_nothing
    reach: int = 64

    @functools.cached_property
    def traits(self) -> PolicyTraits:
        return PolicyTraits(reach=self.reach, step=bool(self.step), sound=True, part=True)

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        if not isinstance(items, Conversation):
            return self._choose(items)
        if items.cached_choice is None or items.cached_choice[0] is not self:
            items.cached_choice = (self, self._choose(items))
        return list(items.cached_choice[1])

    def need(self, items: Sequence[Item]) -> bool:
        """Return True if older items could still enter, because everything here fits."""
        return len(self(items)) == len(items)

    def bind(self, *, now: float, pinned: PinPredicate) -> Budget:
        return self if pinned is self.pinned else dataclasses.replace(self, pinned=pinned)

    def _choose(self, items: Sequence[Item]) -> list[Item]:
        if isinstance(items, Conversation) and self._is_simple:
            newest = self._newest(items) if items.contiguous else self._newest_groups(items)
            if newest is not None:
                return newest
        groups = tool_groups(items)[0]
        last_groups = [groups[number] for number in sorted(last_step(groups))]
        return flatten(self._select(self.units(groups), last_groups)) if groups else []

    @property
    def _is_simple(self) -> bool:
        """True without pins, steps or units larger than a group, so a faster path applies."""
        return (
            self.units is single_groups
            and self.cost is not None
            and not self.step
            and self.pinned is pins_nothing
        )

    def _newest(self, view: Conversation) -> list[Item] | None:
        """The newest items that fit, if contiguous; `None` if the newest turn does not fit."""
        start = self._first_that_fits(view)
        while start < len(view) and is_tool_result(view[start]):
            start += 1  # its call does not fit
        return list(view[start:]) if start <= max(0, newest_turn_start(view)) else None

    def _first_that_fits(self, view: Conversation) -> int:
        cost = self.cost
        if cost is _one_per_item or cost is None:
            return max(0, len(view) - self.limit)
        spent, start = 0, len(view)
        while start and (spent := spent + cost(view[start - 1])) <= self.limit:
            start -= 1
        return start

    def _newest_groups(self, view: Conversation) -> list[Item] | None:
        """The newest groups that fit; `None` if the newest user turn or last step does not."""
        groups = view.groups
        remaining, start = self.limit, len(groups)
        while start and (remaining := remaining - self._group_cost(groups[start - 1])) >= 0:
            start -= 1
        if start and start > min({newest_turn_group(groups), *last_step(groups)}):
            return None
        return flatten(groups[start:])

    def _select(self, units: list[Unit], last_groups: list[ToolGroup]) -> list[ToolGroup]:
        required = newest_user_turn(units)
        if self.pinned is not pins_nothing:
            required.update(n for n, unit in enumerate(units) if self._is_pinned(unit))
        prepaid = [*last_groups, *(group for number in required for group in units[number])]
        chosen = self._newest_units(units, required, prepaid)
        if not chosen and not last_groups:
            chosen = [len(units) - 1]
        selected = {id(group): group for number in chosen for group in units[number]}
        return list({**selected, **{id(group): group for group in last_groups}}.values())

    def _newest_units(
        self, units: list[Unit], required: set[int], prepaid: list[ToolGroup]
    ) -> list[int]:
        """The indexes of the units that stay, besides the groups paid for in advance."""
        prepaid_by_id = {id(group): group for group in prepaid}
        spent = (
            len(required) if self.cost is None else self._unit_cost(list(prepaid_by_id.values()))
        )
        selected, candidates = set(required), list[int]()
        for number in range(len(units) - 1, -1, -1):
            unpaid = [group for group in units[number] if id(group) not in prepaid_by_id]
            if number in required:
                pass
            elif (spent := spent + self._unit_cost(unpaid)) > self.limit:
                front = self._anchor(units, candidates[::-1]) if candidates else number
                return sorted(n for n in selected if n >= front or n in required)
            selected.add(number)
            if self.step and spent >= self.limit * (1 - self.step):
                candidates.append(number)
        return sorted(selected)

    def _anchor(self, units: list[Unit], candidates: list[int]) -> int:
        """The oldest unit that spans a multiple of the stride, else of the highest power of two.

        Both ends of the candidates only ever move forward, so this unit does too.
        """

        def span(number: int) -> tuple[int, int]:
            # from one start to the next: the same however far back was read
            first = units[number][0].heads[0].seq
            return first, units[number + 1][0].heads[0].seq if number + 1 < len(units) else first

        if self.stride:
            for number in candidates:
                first, after = span(number)
                if first // self.stride != after // self.stride:
                    return number
        return max(candidates, key=lambda n: ((span(n)[0] ^ span(n)[1]).bit_length(), -n))

    def _unit_cost(self, unit: Unit) -> int:
        if self.cost is None:
            return 1
        return sum(map(self._group_cost, unit))

    def _group_cost(self, group: ToolGroup) -> int:
        cost = self.cost
        if cost is _one_per_item or cost is None:
            return len(group.order)
        return sum([cost(item) for _, item in group.order])

    def _is_pinned(self, unit: Unit) -> bool:
        return any(self.pinned(head) for group in unit for head in group.heads)


def _one_per_item(_: Item) -> int:
    return 1


def max_messages(n: int, *, step: float = 0.0) -> Budget:
    """At most `n` items, tool calls and results included."""
    positive_int("max_messages", n)
    stride = max(1, int(n * check_step(step))) if step else None
    # a few more, so that the group at the front is complete
    return Budget(
        n, _one_per_item, single_groups, step=check_step(step), stride=stride, reach=n + 4
    )


def max_characters(n: int, *, step: float = 0.0) -> Budget:
    """At most `n` characters of text and tool arguments."""
    return Budget(
        positive_int("max_characters", n), characters, single_groups, step=check_step(step)
    )


def max_tokens(n: int, counter: TokenCounter | None = None, *, step: float = 0.0) -> Budget:
    """At most `n` tokens by `counter`, a callable of one text (`tokens.default()`)."""
    positive_int("max_tokens", n)
    if counter is not None and not callable(counter):
        raise ConfigError(f"counter must be callable, got {type(counter).__name__}")
    return Budget(n, lambda item: tokens.count(item, counter), single_groups, step=check_step(step))


def max_turns(n: int, *, step: float = 0.0) -> Budget:
    """At most `n` turns: uninterrupted contributions of one speaker, tool results included."""
    return Budget(positive_int("max_turns", n), None, turns, step=check_step(step))


def max_exchanges(n: int, *, step: float = 0.0) -> Budget:
    """At most `n` exchanges: a user turn and what answers it."""
    return Budget(positive_int("max_exchanges", n), None, exchanges, step=check_step(step))


def characters(item: Item) -> int:
    """Characters of an item: its text, and the names and arguments of its calls."""
    calls = sum(
        len(call.get("name") or "") + len(tokens.as_text(call.get("args")))
        for call in item.tool_calls
    )
    if type(item.metadata) is PartialMetadata:
        calls += sum(unread_lengths(item))
    return len(item.text) + calls
