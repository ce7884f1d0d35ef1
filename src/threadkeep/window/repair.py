"""Repair of what an application's own policy returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from threadkeep.messages.tool_groups import flatten, repair, tool_groups
from threadkeep.types import Item
from threadkeep.window.policies.units import required_groups

_CONTENT_FIELDS = ("type", "role", "name", "content", "tool_calls", "tool_call_id")


def repair_selection(
    items: Sequence[Item], selected: Sequence[Item], *, require_newest: bool
) -> list[Item]:
    """The selected items in order, with whole tool groups and every call answered.

    Items may come back edited; items that were not among `items` are left out.

    Args:
        items: the items the policy was given.
        selected: the items it returned.
        require_newest: restore the newest user turn and the last step if they are missing.
    """
    selected_by_key = {(item.seq, item.id): item for item in selected}
    groups = tool_groups(items)[0]
    required_group_indexes = required_groups(groups) if require_newest else set()
    complete_items = flatten(
        group
        for group_index, group in enumerate(groups)
        if group_index in required_group_indexes
        or all((item.seq, item.id) in selected_by_key for item in group.items)
    )
    return repair(
        [
            _without_stale_raw(item, selected_by_key.get((item.seq, item.id), item))
            for item in complete_items
        ]
    )


def _without_stale_raw(original: Item, returned: Item) -> Item:
    """The returned item, without its raw payload if the policy changed its content."""
    if returned is original or returned.raw is None:
        return returned
    is_same = all(getattr(original, name) == getattr(returned, name) for name in _CONTENT_FIELDS)
    return returned if is_same else dataclasses.replace(returned, raw=None)
