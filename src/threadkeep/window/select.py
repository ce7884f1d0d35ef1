"""Selection of a window: how far back to read, and which items the policies keep.

The result never depends on the page size of the reads.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Final

from threadkeep.errors import ConfigError
from threadkeep.messages.tool_groups import (
    Conversation,
    flatten,
    is_tool_result,
    is_visible,
    repair,
    tool_results,
)
from threadkeep.printable import shown
from threadkeep.protocols import Policy, TokenCounter
from threadkeep.types import Item
from threadkeep.window.policies.traits import traits_of
from threadkeep.window.policies.units import PinPredicate, newest_turn_start, pins_nothing
from threadkeep.window.repair import repair_selection
from threadkeep.window.window import Window

LOOKBACK: Final = 2_000

Fetch = Callable[[int, int], list[Item]]
"""The items before a seq: `fetch(before, limit)`, oldest first."""


def choose(
    page: list[Item],
    head: list[Item],
    fetch: Fetch,
    policies: Sequence[Policy],
    *,
    now: float,
    size: int,
    lookback: int = LOOKBACK,
    counter: TokenCounter | None = None,
) -> Window:
    """Select the window of a history that the policies keep.

    Args:
        page: the newest items, at most `size`; fewer mean that there are no more.
        head: the first items, for policies that pin how a conversation opens.
        fetch: reads older items.
        policies: applied in order.
        now: the current time.
        size: the requested size of `page`.
        lookback: the maximum number of items to read.
        counter: the token counter of `Window.tokens`.

    Raises:
        ConfigError: a policy returned something other than items.
    """
    min_items = min(lookback, _min_items(policies))
    reader = _PageReader(page, fetch, size, lookback)
    while reader.more and len(reader.items) < min_items:
        reader.read_on()
    pinned = _pin_predicate(policies, head, reader.items[-min_items:] if min_items else [])
    bound = [_bind(policy, now, pinned) for policy in policies]
    opening = [item for item in head if pinned(item)] if head else []
    view = repair(reader.after(opening))
    while reader.more and (
        _lacks_last_call(reader.items, view) or _needs_older(view, reader.items[0].seq, bound)
    ):
        reader.read_on()
        view = repair(reader.after(opening))
    selected = _apply_all(bound, view)
    dropped = 0 if _is_suffix(selected, view) else _count_dropped(reader.items, selected, pinned)
    return Window(selected, dropped=dropped, counter=counter)


def first_page_size(policies: Sequence[Policy], lookback: int) -> int:
    """The size of the first read: large enough that one read usually suffices."""
    if not any(getattr(policy, "need", None) for policy in policies):
        return lookback
    reach = min(traits_of(policy).reach for policy in policies)
    return min(lookback, max(reach, _min_items(policies)))


class _PageReader:
    """The newest items of a history, read page by page as far as `lookback`."""

    def __init__(self, page: list[Item], fetch: Fetch, size: int, lookback: int) -> None:
        self.items = page
        self._fetch, self._size, self._lookback = fetch, size, lookback
        self.more = bool(page) and size <= len(page) < lookback

    def read_on(self) -> None:
        """Read a larger page of older items."""
        self._size = min(self._size * 2, 500, self._lookback - len(self.items))
        older = self._fetch(self.items[0].seq, self._size)
        self.items = older + self.items
        self.more = self._size <= len(older) and len(self.items) < self._lookback

    def after(self, opening: list[Item]) -> list[Item]:
        """The items read so far, preceded by the opening items that were not reached."""
        if not opening or not self.items:
            return self.items
        front = self.items[0].seq
        return [item for item in opening if item.seq < front] + self.items


def _min_items(policies: Sequence[Policy]) -> int:
    return max((traits_of(policy).least for policy in policies), default=0)


def _pin_predicate(
    policies: Sequence[Policy], head: list[Item], newest: list[Item]
) -> PinPredicate:
    """A predicate of the items that the policies pin, among the first and the newest only."""
    pins = [pin for policy in policies if (pin := getattr(policy, "pin", None))]
    if not pins:
        return pins_nothing
    head_end = head[-1].seq if head else -1
    newest_start = newest[0].seq if newest else 0
    return lambda item: (
        (item.seq <= head_end or item.seq >= newest_start) and any(pin(item) for pin in pins)
    )


def _bind(policy: Policy, now: float, pinned: PinPredicate) -> Policy:
    bind = getattr(policy, "bind", None)
    bound: Policy = policy if bind is None else bind(now=now, pinned=pinned)
    return bound


def _lacks_last_call(items: list[Item], view: Conversation) -> bool:
    """Return True if a tool result at the very end lacks its call, which may be further back."""
    if view.contiguous:
        return False
    visible_ids = set(map(id, view))
    trailing = itertools.takewhile(is_tool_result, filter(is_visible, reversed(items)))
    return any(id(item) not in visible_ids for item in trailing)


def _needs_older(view: Conversation, front: int, policies: Sequence[Policy]) -> bool:
    """Return True if items older than `front` could change what the policies keep."""
    turn = newest_turn_start(view)
    if turn <= 0 or view[turn - 1].seq < front:
        return True  # the newest user turn may begin further back
    selected: list[Item] = view
    if (
        len(policies) > 1
    ):  # the oldest group may be incomplete, and each policy gets the output of the one before
        oldest = next((group for group in view.groups if group.heads[0].seq >= front), None)
        selected = flatten(group for group in view.groups if group is not oldest)
    for remaining, policy in zip(range(len(policies) - 1, -1, -1), policies, strict=True):
        need = getattr(policy, "need", None)
        if need is None and not _judges_items_singly(policy):
            return True
        if need is not None and not need(selected):
            return False
        if need is not None and traits_of(policy).step:
            return True  # the position of its front is not known yet
        if remaining:
            selected = _apply(policy, selected)
    return True


def _judges_items_singly(policy: Policy) -> bool:
    traits = traits_of(policy)
    return traits.sound or traits.filters


def _apply_all(policies: Sequence[Policy], view: Conversation) -> list[Item]:
    selected: list[Item] = view
    for policy in policies:
        selected = _apply(policy, selected)
    return selected or flatten(view.groups[-1:])


def _apply(policy: Policy, items: list[Item]) -> list[Item]:
    traits = traits_of(policy)
    if traits.sound:
        return list(policy(items))
    selected = list(policy(list(items)))
    wrong_type = next((type(entry) for entry in selected if not isinstance(entry, Item)), None)
    if wrong_type:
        raise ConfigError(
            f"the policy {shown(policy)} must return Items, got a {wrong_type.__name__}"
        )
    return repair_selection(items, selected, require_newest=not traits.filters)


def _is_suffix(selected: list[Item], view: Conversation) -> bool:
    """Return True if `selected` is a suffix of a contiguous view: no result lost its call."""
    return (
        view.contiguous
        and bool(selected)
        and selected[0] is view[-len(selected)]
        and selected[-1] is view[-1]
    )


def _count_dropped(items: list[Item], selected: list[Item], pinned: PinPredicate) -> int:
    """Count the tool results that were dropped although they are no older than the selection."""
    first_seq = next(
        (item.seq for item in selected if not pinned(item)), selected[-1].seq if selected else 0
    )
    expected = [item for item in tool_results(items) if item.seq >= first_seq]
    if not expected:
        return 0
    selected_ids = {
        item.id for item in selected if not (item.metadata and item.metadata.get("synthetic"))
    }
    return sum([item.id not in selected_ids for item in expected])
