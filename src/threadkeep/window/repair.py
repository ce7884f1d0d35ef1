"""What a policy of the application's own returns, put right."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from threadkeep.messages.tool_groups import flat, group, sound
from threadkeep.types import Item
from threadkeep.window.policies.units import indispensable

_SAID = ("type", "role", "name", "content", "tool_calls", "tool_call_id")


def settled(items: Sequence[Item], kept: Sequence[Item], *, end: bool) -> list[Item]:
    """What was kept, in order, groups whole and sound; with what no budget drops if `end`.

    Items may come back edited; what was not among `items` is left out.
    """
    by_place = {(item.seq, item.id): item for item in kept}
    groups = group(items)[0]
    must = indispensable(groups) if end else set()
    whole = flat(
        found
        for number, found in enumerate(groups)
        if number in must or all((item.seq, item.id) in by_place for item in found.items)
    )
    return sound([_as_kept(item, by_place.get((item.seq, item.id), item)) for item in whole])


def _as_kept(before: Item, after: Item) -> Item:
    """The item as it came back, without the payload of the writer if it says something else now."""
    if after is before or after.raw is None:
        return after
    same = all(getattr(before, field) == getattr(after, field) for field in _SAID)
    return after if same else dataclasses.replace(after, raw=None)
