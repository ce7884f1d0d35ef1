"""Implements `Conversations`: sessions as conversations of the OpenAI API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from threadkeep.core import cursor as cursors
from threadkeep.core import names
from threadkeep.core.engine import Engine
from threadkeep.core.redaction import redacted_info
from threadkeep.errors import InputError, NotFound
from threadkeep.messages import read_all
from threadkeep.printable import shown
from threadkeep.sessions import append, edit, read, scan, user_index
from threadkeep.sessions.create import create_session
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Item, Listing, SessionInfo
from threadkeep.types.openai_limits import check_key_count, check_metadata
from threadkeep.types.timestamps import utc_datetime

MAX_ITEMS_PER_CALL: Final = 20
MAX_LOOKED_AT: Final = 1_000
"""Sessions that a listing with conditions looks at in one call, however many there are."""

ORDERS: Final = ("asc", "desc")


class ConversationFilter(NamedTuple):
    """The conditions of a listing; times are aware, `until` is exclusive."""

    metadata: Mapping[str, Any]
    since: datetime | None
    until: datetime | None

    def matches(self, info: SessionInfo) -> bool:
        """Return True if all conditions hold."""
        updated_at = info.updated_at
        has_metadata = all(info.metadata.get(key) == value for key, value in self.metadata.items())
        return (
            has_metadata
            and (self.since is None or (updated_at is not None and updated_at >= self.since))
            and (self.until is None or (updated_at is not None and updated_at < self.until))
        )


def create(engine: Engine, info: SessionInfo, messages: Sequence[object]) -> SessionInfo:
    """Implements `Conversations.create`."""
    draft = append.make_draft(engine, info.id, parse_items(messages), "item")
    if draft.claims is not None:
        draft.claims.check_alone()
    now = draft.now
    conversation = replace(
        info,
        id=info.id or f"conv_{engine.new_id(now)}",
        metadata=check_metadata(info.metadata),
        created_at=utc_datetime(now),
        updated_at=utc_datetime(now),
    )
    conversation = redacted_info(engine, conversation)
    create_session(SessionStream(engine, conversation), conversation, draft.records)
    return conversation


def update(
    stream: SessionStream, title: str | None, metadata: Mapping[str, Any] | None
) -> SessionInfo:
    """Implements `Conversations.update`."""
    changes = edit.json_object(metadata)
    check_metadata({key: value for key, value in changes.items() if value is not None})

    def merge(current: dict[str, Any]) -> dict[str, Any]:
        existing_info(stream)  # a session's own update does not require that it exists
        merged_metadata = {**current, **changes}
        check_key_count({key: value for key, value in merged_metadata.items() if value is not None})
        return changes

    return edit.update(stream, title, merge)


def list_conversations(
    engine: Engine, user: str | None, conditions: ConversationFilter, limit: int, cursor: object
) -> Listing[SessionInfo]:
    """Implements `Conversations.list`: a page of the matching ones among `MAX_LOOKED_AT` sessions.

    So a page may be short, or empty, and still have a cursor.
    """
    walk_start, last_id = parse_cursor(cursor) or (None, None)
    infos: list[SessionInfo] = []
    next_cursor: list[Any] | None = None
    for session_number, (walk_position, info) in enumerate(scan.sessions(engine, user, walk_start)):
        is_match = (
            info.id != last_id and not user_index.is_sub_agent(info) and conditions.matches(info)
        )
        if session_number == MAX_LOOKED_AT or (is_match and len(infos) == limit):
            return Listing(infos, cursor=next_cursor)
        if is_match:
            infos.append(info)
        next_cursor = [walk_position, info.id]
    return Listing(infos)


def parse_cursor(cursor: object) -> tuple[Any, str] | None:
    """Parse a cursor into a scan position and the id of the last conversation returned.

    Raises:
        InputError: the cursor does not belong to this listing.
    """
    if cursor is None:
        return None
    walk_position, last_id = cursors.parts(cursor, 2)
    if walk_position is None:
        raise cursors.invalid()
    return walk_position, cursors.text(last_id)


def items(stream: SessionStream, limit: int, order: str, after: str | None) -> Listing[Item]:
    """Implements `Conversations.items`."""
    if order not in ORDERS:
        raise InputError(f"order must be 'asc' or 'desc', got {shown(order)}")
    if after is not None and not isinstance(after, str):
        raise InputError(f"after must be an item's id, got {type(after).__name__}")
    if stream.engine.discards:
        return Listing()
    boundary_seq = read.seq_of(stream, "after", after)
    is_descending = order == "desc"
    seq_bounds = {"before": boundary_seq} if is_descending else {"after": boundary_seq}
    query = read.items_query(stream, limit=limit + 1, newest=is_descending, **seq_bounds)
    snapshot = stream.read(query)
    if snapshot.info is None:
        raise not_found(stream)
    page_items = read.items_of_snapshot(stream, query, snapshot)
    page_items = (page_items[::-1] if is_descending else page_items)[: limit + 1]
    cursor = page_items[limit - 1].id if len(page_items) > limit else None
    return Listing(read.whole_items(stream, page_items[:limit]), cursor=cursor)


def item(stream: SessionStream, id: str) -> Item:
    """Implements `Conversations.item`."""
    record_key = names.key(names.check(id, "item"))
    snapshot = stream.read(read.items_query(stream, ids=[record_key]))
    if snapshot.info is None:
        raise not_found(stream)
    shown_item = next(filter(read.is_shown, read.items_of_page(snapshot.pages[0])), None)
    if shown_item is None:
        raise NotFound(f"conversation {shown(stream.id)} has no item {shown(id)}")
    return read.whole_items(stream, [shown_item])[0]


def add_items(stream: SessionStream, messages: Sequence[object]) -> list[Item]:
    """Implements `Conversations.add_items`."""
    parsed_items = parse_items(messages)
    existing_info(stream)
    return append.add(stream, parsed_items)


def remove_item(stream: SessionStream, id: str) -> None:
    """Implements `Conversations.remove_item`."""
    existing_info(stream)
    edit.remove(stream, id)


def parse_items(messages: Sequence[object]) -> list[Item]:
    """Parse the items of one call.

    Raises:
        InputError: they are too many, or one is invalid.
    """
    if not isinstance(messages, (list, tuple)):
        raise InputError(f"items must be a list, got {type(messages).__name__}")
    if len(messages) > MAX_ITEMS_PER_CALL:
        raise InputError(
            f"{len(messages)} items at once, at most {MAX_ITEMS_PER_CALL} are allowed in one call"
        )
    return [item for _, item in read_all(messages, "item")]


def existing_info(stream: SessionStream) -> SessionInfo:
    """The session info of a conversation.

    Raises:
        NotFound: it does not exist.
    """
    session_info = stream.read().info
    if session_info is None and stream.engine.discards:
        return SessionInfo(stream.id, stream.user)
    if session_info is None:
        raise not_found(stream)
    return session_info


def not_found(stream: SessionStream) -> NotFound:
    """The error for a conversation that does not exist."""
    return NotFound(f"there is no conversation {shown(stream.id)}")
