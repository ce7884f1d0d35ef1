"""Cut the tool results of a conversation: each to its cap, those of a step to theirs together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from threadkeep.messages.tool_groups import Conversation, is_tool_result, repair
from threadkeep.types import Item
from threadkeep.window.shorten.caps import ResultCap, level
from threadkeep.window.shorten.results import result_size, shortened, whole_text

HandleOf = Callable[[Item], str]


def shorten_results(
    view: Conversation, caps: Sequence[ResultCap], handle_of: HandleOf | None = None
) -> Conversation:
    """The conversation with its large tool results cut; the same one if none is too large.

    Each cut depends on the results of one step and the caps alone, so it stays the same while the
    conversation grows.

    Args:
        view: the conversation.
        caps: all of them hold.
        handle_of: the handle of an item, where the model can read more of it.
    """
    result_by_identity: dict[int, Item] = {}
    for cap in caps:
        if _may_exceed(view, cap):
            for step_results in _steps(view):
                _shorten_step(step_results, cap, handle_of, result_by_identity)
    if not result_by_identity:
        return view
    items = [result_by_identity.get(id(item), item) for item in view]
    return Conversation(items) if view.contiguous else repair(items)


def _may_exceed(view: Conversation, cap: ResultCap) -> bool:
    """Return False if no result, and no step, can be over the cap: a token is a byte or more."""
    if not view.contiguous:
        return True
    max_step_bytes, last_index = 0, -2
    for item_index in [item_index for item_index, item in enumerate(view) if item.tool_call_id]:
        item_content = view[item_index].content
        if not isinstance(item_content, str):
            return True
        max_bytes = len(item_content) if item_content.isascii() else 4 * len(item_content)
        max_step_bytes = max_step_bytes + max_bytes if item_index == last_index + 1 else max_bytes
        if max_step_bytes > cap.each:
            return True
        last_index = item_index
    return False


def _steps(view: Conversation) -> list[list[Item]]:
    """The results of each step of the model."""
    if not view.contiguous:
        return [[item for item in group.answers if item] for group in view.groups if group.calls]
    steps: list[list[Item]] = []
    follows_result = False
    for item in view:
        is_result = is_tool_result(item)
        if is_result and follows_result:
            steps[-1].append(item)
        elif is_result:
            steps.append([item])
        follows_result = is_result
    return steps


def _shorten_step(
    results: list[Item], cap: ResultCap, handle_of: HandleOf | None, cut_by_id: dict[int, Item]
) -> None:
    sizes = [result_size(item, cap) for item in results]
    max_size = cap.each
    if cap.step is not None and sum(min(size, max_size) for size in sizes) > cap.step:
        max_size = min(max_size, level(sizes, cap.step, cap.fewest))
    for item, size in zip(results, sizes, strict=True):
        if size > max_size:
            result_handle = handle_of(item) if handle_of is not None and item.seq else None
            new_result = shortened(item, max_size, cap, result_handle)
            if len(whole_text(new_result)) < len(whole_text(cut_by_id.get(id(item), item))):
                cut_by_id[id(item)] = new_result
