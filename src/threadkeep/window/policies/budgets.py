"""Budgets: the newest groups that fit, none in part, with the newest user turn and last step."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from threadkeep.errors import ConfigError
from threadkeep.messages.tool_groups import (
    Conversation,
    ToolGroup,
    answers,
    exchanges,
    flat,
    group,
    turns,
)
from threadkeep.protocols import TokenCounter
from threadkeep.types import Item
from threadkeep.window import tokens
from threadkeep.window.policies.units import (
    Pinned,
    Unit,
    each,
    last_step,
    newest_turn,
    newest_turn_begins,
    newest_user_turn,
    nothing,
    positive,
    share,
)


@dataclass(frozen=True)
class Budget:
    """The newest units that fit into a limit; made by `max_messages` and its kin.

    Attributes:
        limit: how much may stay.
        cost: what one item costs; `None` counts units.
        units: how groups form what is kept or dropped as one.
        step: 0 moves the front with every item; 0.5 seldom, and then far enough to free about
            half, so that the beginning of the prompt stays the same (and cached) for many turns.
            Where the front stands is a function of the seqs and costs of the newest items alone,
            so all workers agree, and it never moves back while the conversation grows. With
            `max_messages` it moves only when the limit would be passed. With other budgets it may
            move before that, at most about twice as often as is inevitable: items that cost
            unequal amounts give no yardstick that every worker could read off the newest ones.
        stride: seqs between the places where a stepping front likes to stand.
        pinned: items that stay, whatever the limit.
        reach: how many items the first read should bring.
    """

    limit: int
    cost: Callable[[Item], int] | None
    units: Callable[[Sequence[ToolGroup]], list[Unit]]
    step: float = 0.0
    stride: int | None = None
    pinned: Pinned = nothing
    reach: int = 64
    sound: ClassVar[bool] = True
    part: ClassVar[bool] = True

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        if not isinstance(items, Conversation):
            return self._choose(items)
        if items.judged is None or items.judged[0] is not self:
            items.judged = (self, self._choose(items))
        return list(items.judged[1])

    def need(self, items: Sequence[Item]) -> bool:
        """Whether older items could still enter: everything here fits."""
        return len(self(items)) == len(items)

    def bind(self, *, now: float, pinned: Pinned) -> Budget:
        return self if pinned is self.pinned else dataclasses.replace(self, pinned=pinned)

    def _choose(self, items: Sequence[Item]) -> list[Item]:
        if isinstance(items, Conversation) and self._is_simple:
            found = self._newest(items) if items.tidy else self._newest_groups(items)
            if found is not None:
                return found
        groups = group(items)[0]
        step = [groups[number] for number in sorted(last_step(groups))]
        return flat(self._kept(self.units(groups), step)) if groups else []

    @property
    def _is_simple(self) -> bool:
        """Whether items and groups are all there is to mind: no pins, no step, no turns."""
        return (
            self.units is each
            and self.cost is not None
            and not self.step
            and self.pinned is nothing
        )

    def _newest(self, view: Conversation) -> list[Item] | None:
        """The newest items that fit, of a tidy view; `None` if a user turn is longer."""
        start = self._first_that_fits(view)
        while start < len(view) and answers(view[start]):
            start += 1  # its call does not fit any more
        return list(view[start:]) if start <= max(0, newest_turn_begins(view)) else None

    def _first_that_fits(self, view: Conversation) -> int:
        cost = self.cost
        if cost is _one or cost is None:
            return max(0, len(view) - self.limit)
        spent, start = 0, len(view)
        while start and (spent := spent + cost(view[start - 1])) <= self.limit:
            start -= 1
        return start

    def _newest_groups(self, view: Conversation) -> list[Item] | None:
        """The newest groups that fit; `None` if a user turn is longer, or the last step is."""
        groups = view.groups
        left, start = self.limit, len(groups)
        while start and (left := left - self._price_of(groups[start - 1])) >= 0:
            start -= 1
        if start and start > min({newest_turn(groups), *last_step(groups)}):
            return None
        return flat(groups[start:])

    def _kept(self, units: list[Unit], step: list[ToolGroup]) -> list[ToolGroup]:
        must = newest_user_turn(units)
        if self.pinned is not nothing:
            must.update(n for n, unit in enumerate(units) if self._is_pinned(unit))
        paid = [*step, *(group_ for number in must for group_ in units[number])]
        chosen = self._newest_units(units, must, paid)
        if not chosen and not step:
            chosen = [len(units) - 1]
        kept = {id(group_): group_ for number in chosen for group_ in units[number]}
        return list({**kept, **{id(group_): group_ for group_ in step}}.values())

    def _newest_units(self, units: list[Unit], must: set[int], paid: list[ToolGroup]) -> list[int]:
        """The places of the units that stay, beside what was paid for before all others."""
        before = {id(group_): group_ for group_ in paid}
        spent = len(must) if self.cost is None else self._price(list(before.values()))
        kept, places = set(must), list[int]()
        for number in range(len(units) - 1, -1, -1):
            rest = [group_ for group_ in units[number] if id(group_) not in before]
            if number in must:
                pass
            elif (spent := spent + self._price(rest)) > self.limit:
                front = self._anchor(units, places[::-1]) if places else number
                return sorted(n for n in kept if n >= front or n in must)
            kept.add(number)
            if self.step and spent >= self.limit * (1 - self.step):
                places.append(number)
        return sorted(kept)

    def _anchor(self, units: list[Unit], candidates: list[int]) -> int:
        """The oldest unit with a place of the stride in it, else with the rarest power of two.

        Both ends of the candidates only ever move on, so this place does too.
        """

        def span(number: int) -> tuple[int, int]:
            # from one beginning to the next: both are the same however far back was read
            first = units[number][0].heads[0].seq
            return first, units[number + 1][0].heads[0].seq if number + 1 < len(units) else first

        if self.stride:
            for number in candidates:
                first, after = span(number)
                if first // self.stride != after // self.stride:
                    return number
        return max(candidates, key=lambda n: ((span(n)[0] ^ span(n)[1]).bit_length(), -n))

    def _price(self, unit: Unit) -> int:
        if self.cost is None:
            return 1
        return sum(map(self._price_of, unit))

    def _price_of(self, group_: ToolGroup) -> int:
        cost = self.cost
        if cost is _one or cost is None:
            return len(group_.order)
        return sum([cost(item) for _, item in group_.order])

    def _is_pinned(self, unit: Unit) -> bool:
        return any(self.pinned(head) for group_ in unit for head in group_.heads)


def _one(_: Item) -> int:
    return 1


def max_messages(n: int, *, step: float = 0.0) -> Budget:
    """At most `n` items, tool calls and results among them."""
    positive("max_messages", n)
    stride = max(1, int(n * share(step))) if step else None
    # a few more, so that the group at the front is seen whole
    return Budget(n, _one, each, step=share(step), stride=stride, reach=n + 4)


def max_characters(n: int, *, step: float = 0.0) -> Budget:
    """At most `n` characters of text and tool arguments."""
    return Budget(positive("max_characters", n), characters, each, step=share(step))


def max_tokens(n: int, counter: TokenCounter | None = None, *, step: float = 0.0) -> Budget:
    """At most `n` tokens by `counter`, a callable of one text (`tokens.default()`)."""
    positive("max_tokens", n)
    if counter is not None and not callable(counter):
        raise ConfigError(f"counter must be callable, got {type(counter).__name__}")
    return Budget(n, lambda item: tokens.count(item, counter), each, step=share(step))


def max_turns(n: int, *, step: float = 0.0) -> Budget:
    """At most `n` turns: uninterrupted contributions of one speaker, tool results included."""
    return Budget(positive("max_turns", n), None, turns, step=share(step))


def max_exchanges(n: int, *, step: float = 0.0) -> Budget:
    """At most `n` exchanges: a user turn and what answers it."""
    return Budget(positive("max_exchanges", n), None, exchanges, step=share(step))


def characters(item: Item) -> int:
    """Characters of an item: its text, and the names and arguments of its calls."""
    calls = sum(
        len(call.get("name") or "") + len(tokens.as_text(call.get("args")))
        for call in item.tool_calls
    )
    return len(item.text) + calls
