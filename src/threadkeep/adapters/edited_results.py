"""Cut tool results that a framework changed for one request, as a window cuts stored ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from threadkeep.messages.tool_groups import is_tool_result, repair
from threadkeep.protocols import Policy
from threadkeep.types import Item
from threadkeep.window.shorten.views import shorten_results


def cut_edited_results(
    items: Sequence[Item], edited: Collection[str], policies: Sequence[Policy]
) -> list[Item]:
    """The items, those that were edited cut to the caps of a window's policies.

    A cut names no handle: that would show the stored text in place of the edited one. Items that
    were not edited stay as they are, so that a prompt begins with the same text in every call.

    Args:
        items: the items of a session, as a request has them.
        edited: the ids of those that the request changed.
        policies: those of the window.
    """
    caps = [cap for policy in policies if (cap := getattr(policy, "result_cap", None)) is not None]
    if not caps or not any(item.id in edited and is_tool_result(item) for item in items):
        return list(items)
    shortened_items = shorten_results(repair(items), caps)
    result_by_id = {item.id: item for item in shortened_items if item.id in edited}
    return [result_by_id.get(item.id, item) for item in items]
