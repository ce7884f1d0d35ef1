"""Put the pages that a model read on back into a window."""

from __future__ import annotations

from collections.abc import Callable

from threadkeep.messages.tool_groups import Conversation, repair
from threadkeep.types import Item
from threadkeep.window.shorten.handles import is_handle_of, position_of
from threadkeep.window.shorten.pages import (
    PageReference,
    first_lines,
    header,
    with_replaced,
    written_page,
)
from threadkeep.window.shorten.results import whole_text

Find = Callable[[int], Item | None]
"""The item at a position of the session."""


def expanded(view: Conversation, session: str, find: Find) -> Conversation:
    """The conversation with the pages that its references name; the same one without any.

    A reference whose result is gone stays as it is.
    """
    result_by_identity = {
        id(item): _expanded(item, session, find) for item in view if item.tool_call_id
    }
    if all(result_by_identity.get(id(item), item) is item for item in view):
        return view
    items = [result_by_identity.get(id(item), item) for item in view]
    return Conversation(items) if view.contiguous else repair(items)


def referring(item: Item, session: str, find: Find) -> Item:
    """The item as it is stored: its pages as references, where they are what the result holds."""
    new_by_text: dict[str, str] = {}
    for text, reference in first_lines(item).items():
        result_text = _whole_text(reference, session, find)
        if result_text is not None and text == written_page(reference, result_text):
            new_by_text[text] = header(reference)
    return with_replaced(item, new_by_text) if new_by_text else item


def source(handle: str, session: str, find: Find) -> Item | None:
    """The result that a handle names in a session; `None` = there is none."""
    seq = position_of(handle)
    item = None if seq is None else find(seq)
    return item if item is not None and is_handle_of(handle, session, item) else None


def _expanded(item: Item, session: str, find: Find) -> Item:
    new_by_text: dict[str, str] = {}
    for text, reference in first_lines(item).items():
        if text == header(reference):
            result_text = _whole_text(reference, session, find)
            if result_text is not None and len(result_text) == reference.total:
                new_by_text[text] = written_page(reference, result_text)
    return with_replaced(item, new_by_text) if new_by_text else item


def _whole_text(reference: PageReference, session: str, find: Find) -> str | None:
    item = source(reference.handle, session, find)
    return None if item is None else whole_text(item)
