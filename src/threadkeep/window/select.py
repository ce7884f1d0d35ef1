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
    is_pinned = _pin_predicate(policies, head, reader.items[-min_items:] if min_items else [])
    bound_policies = [_bind(policy, now, is_pinned) for policy in policies]
    opening_items = [item for item in head if is_pinned(item)] if head else []
    shortening = Shortening(policies if shorten else (), session, reader)
    if shortening.handle_of is not None:  # its policy has no other purpose
        bound_policies = [policy for policy in bound_policies if not isinstance(policy, Readable)]
    view, shortened_view = _read_views(reader, shortening, opening_items, bound_policies)
    stages = apply_all(bound_policies, shortened_view)
    selected_items = stages[-1][1]
    is_suffix = _is_suffix(selected_items, shortened_view)
    unread_before = None if reader.complete or not reader.items else reader.items[0].seq
    return Window(
        selected_items,
        dropped=0 if is_suffix else _count_dropped(reader.items, selected_items, is_pinned),
        over=excess(bound_policies, stages),
        changed=changed_ids(selected_items, view) if shortening.changes else _NOTHING,
        counter=counter,
        left_out=functools.partial(left_out, reader.items, view, stages, unread_before),
    )


def _read_views(
    reader: PageReader, shortening: Shortening, opening: list[Item], policies: Sequence[Policy]
) -> tuple[Conversation, Conversation]:
    """Read on until nothing older could change what the policies keep; both views of that."""
    view, shortened_view = shortening.views(reader.after(opening))
    while reader.more and (
        _lacks_last_call(reader.items, view)
        or _needs_older(shortened_view, reader.items[0].seq, policies)
    ):
        reader.read_on()
        view, shortened_view = shortening.views(reader.after(opening))
    return view, shortened_view


def first_page_size(policies: Sequence[Policy], lookback: int) -> int:
    """The size of the first read: large enough that one read usually suffices."""
    if not any(getattr(policy, "need", None) for policy in policies):
        return lookback
    traits = joint_traits(policies)
    return min(lookback, max(traits.reach, traits.least))


def _pin_predicate(
    policies: Sequence[Policy], first_items: list[Item], newest_items: list[Item]
) -> PinPredicate:
    """A predicate of the items that the policies pin, among the first and the newest only."""
    predicates = [predicate for policy in policies if (predicate := getattr(policy, "pin", None))]
    if not predicates:
        return pins_nothing
    head_end_seq = first_items[-1].seq if first_items else -1
    newest_start_seq = newest_items[0].seq if newest_items else 0
    return lambda item: (
        (item.seq <= head_end_seq or item.seq >= newest_start_seq)
        and any(predicate(item) for predicate in predicates)
    )


def _bind(policy: Policy, now: float, pinned: PinPredicate) -> Policy:
    bind_method = getattr(policy, "bind", None)
    bound_policy: Policy = policy if bind_method is None else bind_method(now=now, pinned=pinned)
    return bound_policy


def _lacks_last_call(items: list[Item], view: Conversation) -> bool:
    """Return True if a tool result at the very end lacks its call, which may be further back."""
    if view.contiguous:
        return False
    view_identities = set(map(id, view))
    trailing_results = itertools.takewhile(is_tool_result, filter(is_visible, reversed(items)))
    return any(id(item) not in view_identities for item in trailing_results)


def _needs_older(view: Conversation, min_seq: int, policies: Sequence[Policy]) -> bool:
    """Return True if items older than `min_seq` could change what the policies keep."""
    if newest_user_index(view) < 0:
        return True  # the newest user message is further back
    selected_items: Sequence[Item] = view
    # the oldest group may be incomplete, and each policy gets the output of the one before
    if len(policies) > 1:
        oldest_group = next((group for group in view.groups if group.heads[0].seq >= min_seq), None)
        selected_items = flatten(group for group in view.groups if group is not oldest_group)
    for later_policy_count, policy in zip(range(len(policies) - 1, -1, -1), policies, strict=True):
        need_method = getattr(policy, "need", None)
        if need_method is None and not _judges_items_singly(policy):
            return True
        if need_method is not None and not need_method(selected_items):
            return False
        if need_method is not None and traits_of(policy).step:
            return True  # the position of its front is not known yet
        if later_policy_count:
            selected_items = apply(policy, selected_items)
    return True


def _judges_items_singly(policy: Policy) -> bool:
    traits = traits_of(policy)
    return traits.sound or traits.filters


def _is_suffix(selected_items: Sequence[Item], view: Conversation) -> bool:
    """Return True if `selected_items` is a suffix of a contiguous view: no result lost its call."""
    return (
        view.contiguous
        and bool(selected_items)
        and selected_items[0] is view[-len(selected_items)]
        and selected_items[-1] is view[-1]
    )


def _count_dropped(items: list[Item], selected: Sequence[Item], pinned: PinPredicate) -> int:
    """Count the tool results that were dropped although they are no older than the selection."""
    first_seq = next(
        (item.seq for item in selected if not pinned(item)), selected[-1].seq if selected else 0
    )
    expected_results = [item for item in tool_results(items) if item.seq >= first_seq]
    if not expected_results:
        return 0
    selected_ids = {
        item.id for item in selected if not (item.metadata and item.metadata.get("synthetic"))
    }
    return sum([item.id not in selected_ids for item in expected_results])
