"""Implements `Session.pending_approvals`: reads no further back than the last step."""

from __future__ import annotations

from typing import Final

from threadkeep.messages.approvals import LastStep
from threadkeep.sessions.read import whole_items
from threadkeep.sessions.recent import RecentReader
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Item
from threadkeep.types.approvals import PendingApproval

_PAGE: Final = 50


def pending_approvals(stream: SessionStream) -> list[PendingApproval]:
    """As `Session.pending_approvals`."""
    recent_reader, page_size = RecentReader(stream), _PAGE
    item_page = items = recent_reader.newest(page_size)[0]
    last_step = LastStep(items)
    while not last_step.is_whole and len(item_page) == page_size:
        page_size *= 2
        item_page = recent_reader.older(items[0].seq, page_size)
        items = [*item_page, *items]
        last_step = LastStep(items)
    return LastStep(_with_large_arguments(stream, items, last_step)).pending()


def _with_large_arguments(stream: SessionStream, items: list[Item], step: LastStep) -> list[Item]:
    item_by_id = {item.id: item for item in whole_items(stream, step.heads)}
    return [item_by_id.get(item.id, item) for item in items]
