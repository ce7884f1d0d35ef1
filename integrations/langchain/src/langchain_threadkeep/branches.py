"""Show the items of the branch that a graph state is on, and hide those of its other branches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from langchain_threadkeep.codec import message_id
from langchain_threadkeep.state_marks import lineage_of
from threadkeep import Item, Session
from threadkeep.adapters.revise import all_items


def switch_branch(
    chat: Session,
    newer: Iterable[Item],
    lineage: str,
    record_ids: Collection[str],
    message_ids: Collection[str | None],
) -> bool:
    """Follow the state to its branch if the session was continued from it on another one.

    Only then the whole session is read. Returns True if anything was hidden or shown.

    Args:
        chat: the session.
        newer: the items stored after the last one of the state.
        lineage: of the state.
        record_ids: of the items whose messages the state holds.
        message_ids: of the messages that the state holds.
    """

    def is_held(item: Item) -> bool:
        return item.id in record_ids or message_id(item) in message_ids

    def is_misplaced(item: Item) -> bool:
        is_shown = not item.hidden
        return not is_shown if is_held(item) else is_shown and lineage_of(item) == lineage

    if not any(map(is_misplaced, newer)):
        return False
    return _show_held(chat, is_held, lambda item: lineage_of(item) == lineage)


def leave_branches(chat: Session, message_ids: Collection[str | None]) -> bool:
    """Hide the items of all states of the session, for a state that goes back to the beginning."""

    def is_held(item: Item) -> bool:
        return message_id(item) in message_ids

    return _show_held(chat, is_held, lambda item: lineage_of(item) is not None)


def _show_held(
    chat: Session, is_held: Callable[[Item], bool], is_of_state: Callable[[Item], bool]
) -> bool:
    """Show what is held, and hide what else is of the state."""
    ids_to_hide, ids_to_show = [], []
    for item in all_items(chat):
        if is_held(item):
            ids_to_show += [item.id] * item.hidden
        elif is_of_state(item):
            ids_to_hide += [item.id] * (not item.hidden)
    chat.hide(*ids_to_hide)
    chat.unhide(*ids_to_show)
    return bool(ids_to_hide or ids_to_show)
