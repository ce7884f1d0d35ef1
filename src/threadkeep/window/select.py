"""Selection of a window: how far back to read, and which items the policies keep.

The result never depends on the page size of the reads.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Final

from threadkeep.messages.tool_groups import (
    Conversation,
    flatten,
    is_tool_result,
    is_visible,
    tool_results,
)
from threadkeep.protocols import Policy, TokenCounter
from threadkeep.types import Item
from threadkeep.window.apply import apply, apply_all, changed_ids, excess
from threadkeep.window.left_out import left_out
from threadkeep.window.page_reader import Fetch, PageReader
from threadkeep.window.policies.readable import Readable
from threadkeep.window.policies.traits import joint_traits, traits_of
from threadkeep.window.policies.units import PinPredicate, newest_user_index, pins_nothing
from threadkeep.window.policies.user_runs import with_user_runs
from threadkeep.window.shorten.result_cuts import Shortening
from threadkeep.window.window import Window

LOOKBACK: Final = 2_000
_NOTHING: Final = frozenset[str]()


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
    session: str = "",
    shorten: bool = True,
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
        session: the name of the session's stream, for the handles of `read_more`.
        shorten: whether large tool results are cut.

    Raises:
        ConfigError: a policy returned something other than items.
    """
    if len(policies) > 1:
        policies = with_user_runs(policies)
    min_items = min(lookback, joint_traits(policies).least)
    reader = PageReader(page, fetch, size, lookback)
    while reader.more and len(reader.items) < min_items:
        reader.read_on()
    pinned = _pin_predicate(policies, head, reader.items[-min_items:] if min_items else [])
    bound = [_bind(policy, now, pinned) for policy in policies]
    opening = [item for item in head if pinned(item)] if head else []
    shortening = Shortening(policies if shorten else (), session, reader)
    if shortening.handle_of is not None:  # its policy has no other purpose
        bound = [policy for policy in bound if not isinstance(policy, Readable)]
    view, shortened = _read_views(reader, shortening, opening, bound)
    stages = apply_all(bound, shortened)
    selected = stages[-1][1]
    is_suffix = _is_suffix(selected, shortened)
    unread = None if reader.complete or not reader.items else reader.items[0].seq
    return Window(
        selected,
        dropped=0 if is_suffix else _count_dropped(reader.items, selected, pinned),
        over=excess(bound, stages),
        changed=changed_ids(selected, view) if shortening.changes else _NOTHING,
        counter=counter,
        left_out=functools.partial(left_out, reader.items, view, stages, unread),
    )


def _read_views(
    reader: PageReader, shortening: Shortening, opening: list[Item], policies: Sequence[Policy]
) -> tuple[Conversation, Conversation]:
    """Read on until nothing older could change what the policies keep; both views of that."""
    view, shortened = shortening.views(reader.after(opening))
    while reader.more and (
        _lacks_last_call(reader.items, view)
        or _needs_older(shortened, reader.items[0].seq, policies)
    ):
        reader.read_on()
        view, shortened = shortening.views(reader.after(opening))
    return view, shortened


def first_page_size(policies: Sequence[Policy], lookback: int) -> int:
    """The size of the first read: large enough that one read usually suffices."""
    if not any(getattr(policy, "need", None) for policy in policies):
        return lookback
    traits = joint_traits(policies)
    return min(lookback, max(traits.reach, traits.least))


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
    if newest_user_index(view) < 0:
        return True  # the newest user message is further back
    selected: Sequence[Item] = view
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
            selected = apply(policy, selected)
    return True


def _judges_items_singly(policy: Policy) -> bool:
    traits = traits_of(policy)
    return traits.sound or traits.filters


def _is_suffix(selected: Sequence[Item], view: Conversation) -> bool:
    """Return True if `selected` is a suffix of a contiguous view: no result lost its call."""
    return (
        view.contiguous
        and bool(selected)
        and selected[0] is view[-len(selected)]
        and selected[-1] is view[-1]
    )


def _count_dropped(items: list[Item], selected: Sequence[Item], pinned: PinPredicate) -> int:
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
