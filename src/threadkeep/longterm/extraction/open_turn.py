"""A turn that an agent is still working on is not read: its messages may yet be redacted."""

from __future__ import annotations

from typing import Final

from threadkeep.core import item_codec
from threadkeep.core.redaction import STATE
from threadkeep.longterm.extraction.batch import MAX_ITEMS
from threadkeep.types import Item, Page

MAX_AGE: Final = 600.0
"""Seconds after which a turn without an answer is taken for one that nobody works on any more."""


def without_open_turn(page: Page, now: float) -> Page:
    """The page without the turn at its end, if an agent with a state of its own has it open.

    It is open until the model answers without calling a tool, or nothing came for `MAX_AGE`.

    Args:
        page: items as they are read for a batch; a full one does not reach the end.
        now: the time of the store's clock.
    """
    page_records = page.records
    if not page_records or len(page_records) >= MAX_ITEMS or now - page_records[-1].at >= MAX_AGE:
        return page
    open_turn_start = len(page_records)
    for record_index in range(len(page_records) - 1, -1, -1):
        item = item_codec.read_item(page_records[record_index])
        if _is_answer(item) or not _is_of_state(item):
            break
        if item.role == "user":
            open_turn_start = record_index
    return page._replace(records=page_records[:open_turn_start])


def _is_answer(item: Item) -> bool:
    is_assistant_message = item.role == "assistant" and item.type == "message"
    return is_assistant_message and not item.tool_calls and not item.hidden


def _is_of_state(item: Item) -> bool:
    return STATE in (item.raw or {})
