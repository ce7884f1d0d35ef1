"""How a window is chosen: how far back to read, and what the policies leave.

The result never depends on how many items a read brings.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Final

from threadkeep.errors import ConfigError
from threadkeep.messages.tool_groups import (
    Conversation,
    answers,
    flat,
    results,
    sound,
    visible,
)
from threadkeep.protocols import Policy, TokenCounter
from threadkeep.types import Item
from threadkeep.window.policies.units import Pinned, newest_turn_begins, nothing
from threadkeep.window.repair import settled
from threadkeep.window.window import Window

PAGE: Final = 64
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
    """The window that the policies leave of a history.

    Args:
        page: the newest items, at most `size`; fewer say that there are no more.
        head: the first items, for policies that pin how a conversation opens.
        fetch: reads on, towards older items.
        policies: applied in order.
        now: the clock's time.
        size: how many items `page` was to hold.
        lookback: how many items are read at most.
        counter: what `Window.tokens` counts with.

    Raises:
        ConfigError: a policy returned something other than items.
    """
    least = min(lookback, _least(policies))
    reader = _Reader(page, fetch, size, lookback)
    while reader.more and len(reader.items) < least:
        reader.read_on()
    pinned = _pinned(policies, head, reader.items[-least:] if least else [])
    bound = [_bound(policy, now, pinned) for policy in policies]
    opening = [item for item in head if pinned(item)] if head else []
    view = sound(reader.after(opening))
    while reader.more and (
        _lacks_last_call(reader.items, view) or _wants_older(view, reader.items[0].seq, bound)
    ):
        reader.read_on()
        view = sound(reader.after(opening))
    kept = _apply_all(bound, view)
    dropped = 0 if _is_end(kept, view) else _dropped(reader.items, kept, pinned)
    return Window(kept, dropped=dropped, counter=counter)


def first_page(policies: Sequence[Policy], lookback: int) -> int:
    """How many items the first read asks for: enough for one read to be the normal case."""
    if not any(promises(policies, "need", None)):
        return lookback
    reach: int = min(promises(policies, "reach", PAGE))
    return min(lookback, max(reach, _least(policies)))


def promises(policies: Sequence[Policy], name: str, default: Any) -> list[Any]:
    """What each policy says of itself by an attribute."""
    return [getattr(policy, name, default) for policy in policies]


class _Reader:
    """The newest items of a history, read page by page as far as `lookback`."""

    def __init__(self, page: list[Item], fetch: Fetch, size: int, lookback: int) -> None:
        self.items = page
        self._fetch, self._size, self._lookback = fetch, size, lookback
        self.more = bool(page) and size <= len(page) < lookback

    def read_on(self) -> None:
        """Read a larger page of what is older."""
        self._size = min(self._size * 2, 500, self._lookback - len(self.items))
        older = self._fetch(self.items[0].seq, self._size)
        self.items = older + self.items
        self.more = self._size <= len(older) and len(self.items) < self._lookback

    def after(self, opening: list[Item]) -> list[Item]:
        """The items, after those of the opening that were not reached."""
        if not opening or not self.items:
            return self.items
        front = self.items[0].seq
        return [item for item in opening if item.seq < front] + self.items


def _least(policies: Sequence[Policy]) -> int:
    return max(promises(policies, "least", 0), default=0)


def _pinned(policies: Sequence[Policy], head: list[Item], newest: list[Item]) -> Pinned:
    """What the policies pin, among the first and the newest items only."""
    pins = [pin for policy in policies if (pin := getattr(policy, "pin", None))]
    if not pins:
        return nothing
    opens = head[-1].seq if head else -1
    recent = newest[0].seq if newest else 0
    return lambda item: (item.seq <= opens or item.seq >= recent) and any(pin(item) for pin in pins)


def _bound(policy: Policy, now: float, pinned: Pinned) -> Policy:
    bind = getattr(policy, "bind", None)
    bound: Policy = policy if bind is None else bind(now=now, pinned=pinned)
    return bound


def _lacks_last_call(items: list[Item], view: Conversation) -> bool:
    """Whether a result at the very end answers a call that stands further back, if anywhere."""
    if view.tidy:
        return False
    shown = set(map(id, view))
    trailing = itertools.takewhile(answers, filter(visible, reversed(items)))
    return any(id(item) not in shown for item in trailing)


def _wants_older(view: Conversation, front: int, policies: Sequence[Policy]) -> bool:
    """Whether older items than those from `front` on could change what the policies leave."""
    turn = newest_turn_begins(view)
    if turn <= 0 or view[turn - 1].seq < front:
        return True  # the newest user turn may begin further back
    kept: list[Item] = view
    if len(policies) > 1:  # the oldest group may not be whole, and one policy's work is another's
        oldest = next((found for found in view.groups if found.heads[0].seq >= front), None)
        kept = flat(found for found in view.groups if found is not oldest)
    for left, policy in zip(range(len(policies) - 1, -1, -1), policies, strict=True):
        need = getattr(policy, "need", None)
        if need is None and not _judges_each(policy):
            return True
        if need is not None and not need(kept):
            return False
        if need is not None and getattr(policy, "step", False):
            return True  # where it would put its front is not known yet
        if left:
            kept = _apply(policy, kept)
    return True


def _judges_each(policy: Policy) -> bool:
    return any(getattr(policy, promise, False) for promise in ("sound", "filters"))


def _apply_all(policies: Sequence[Policy], view: Conversation) -> list[Item]:
    kept: list[Item] = view
    for policy in policies:
        kept = _apply(policy, kept)
    return kept or flat(view.groups[-1:])


def _apply(policy: Policy, items: list[Item]) -> list[Item]:
    if getattr(policy, "sound", False):
        return list(policy(items))
    kept = list(policy(list(items)))
    wrong = next((type(entry) for entry in kept if not isinstance(entry, Item)), None)
    if wrong:
        raise ConfigError(f"the policy {policy!r} must return Items, got a {wrong.__name__}")
    return settled(items, kept, end=not getattr(policy, "filters", False))


def _is_end(kept: list[Item], view: Conversation) -> bool:
    """Whether it is a tidy view from some place on: then no result lost its call."""
    return view.tidy and bool(kept) and kept[0] is view[-len(kept)] and kept[-1] is view[-1]


def _dropped(items: list[Item], kept: list[Item], pinned: Pinned) -> int:
    """How many tool results are not among what was kept, though they are no older."""
    front = next((item.seq for item in kept if not pinned(item)), kept[-1].seq if kept else 0)
    within = [item for item in results(items) if item.seq >= front]
    if not within:
        return 0
    there = {item.id for item in kept if not (item.metadata and item.metadata.get("synthetic"))}
    return sum([item.id not in there for item in within])
