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
    reader, size = RecentReader(stream), _PAGE
    page = items = reader.newest(size)[0]
    step = LastStep(items)
    while not step.is_whole and len(page) == size:
        size *= 2
        page = reader.older(items[0].seq, size)
        items = [*page, *items]
        step = LastStep(items)
    return LastStep(_with_large_arguments(stream, items, step)).pending()


def _with_large_arguments(stream: SessionStream, items: list[Item], step: LastStep) -> list[Item]:
    loaded = {item.id: item for item in whole_items(stream, step.heads)}
    return [loaded.get(item.id, item) for item in items]
