"""Implements the verbs that read a session: items, windows and session info."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from threadkeep.core import item_codec, json_text, names
from threadkeep.core.parts import references_of
from threadkeep.errors import ConfigError, InputError, NotFound
from threadkeep.printable import shown
from threadkeep.protocols import Policy, TokenCounter
from threadkeep.sessions import blob_load
from threadkeep.sessions.large_parts import LargeParts
from threadkeep.sessions.recent import RecentReader
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import MAX_COUNT, MAX_SEQ, Item, Listing, Page, Query, Record, SessionInfo
from threadkeep.types.timestamps import utc_datetime
from threadkeep.window import LOOKBACK, Fetch, Window, choose, first_page_size
from threadkeep.window.policies.traits import joint_traits
from threadkeep.window.shorten.result_cuts import result_caps

ALL: Final = sys.maxsize
_PAGE: Final = 50


def items(
    stream: SessionStream,
    last: int | None,
    after: int | str | None,
    before: int | str | None,
    limit: int | None,
    hidden: bool = False,
) -> Listing[Item]:
    """As `Session.items`."""
    if last is not None and limit is not None:
        raise InputError("last= and limit= contradict each other: give one of them")
    if not isinstance(hidden, bool):
        raise InputError(f"hidden must be True or False, got {type(hidden).__name__}")
    newest_count, limit = whole_number("last", last), whole_number("limit", limit)
    if newest_count is not None and after is None and before is None:
        return Listing(whole_items(stream, _newest(stream, newest_count, hidden)))
    query = items_query(
        stream,
        limit=newest_count if limit is None else limit + 1,
        newest=newest_count is not None,
        after=seq_of(stream, "after", after),
        before=seq_of(stream, "before", before),
    )
    page_items = range_items(stream, query, hidden)
    if limit is None or len(page_items) <= limit:
        return Listing(whole_items(stream, page_items))
    cursor = page_items[limit - 1].seq if limit else after
    return Listing(whole_items(stream, page_items[:limit]), cursor=cursor)


def _newest(stream: SessionStream, count: int, hidden: bool) -> list[Item]:
    """The newest items, oldest first; reads on while hidden ones are among them."""
    recent_reader, page_size = RecentReader(stream), count
    page_items = recent_reader.newest(count)[0]
    shown_items = page_items if hidden else list(filter(is_shown, page_items))
    while page_items and len(page_items) == page_size and len(shown_items) < count:
        page_size = max(count - len(shown_items), _PAGE)
        page_items = recent_reader.older(page_items[0].seq, page_size)
        shown_items = [*filter(is_shown, page_items), *shown_items]
    return shown_items[len(shown_items) - count :] if len(shown_items) > count else shown_items


def whole_items(stream: SessionStream, items: list[Item]) -> list[Item]:
    """The items with their large parts, which takes another read if they have some."""
    if any(map(references_of, items)):
        return blob_load.load(stream.engine, stream.id, items)
    return items


def range_items(stream: SessionStream, query: Query, hidden: bool = False) -> list[Item]:
    """The items of a query, without large parts; read on while hidden ones are among them.

    Raises:
        NotOwner: the session belongs to another user.
    """
    return items_of_snapshot(stream, query, stream.read(query), hidden)


def items_of_snapshot(
    stream: SessionStream, query: Query, snapshot: Snapshot, hidden: bool = False
) -> list[Item]:
    """As `range_items`, for a query that was read already, as the first of the snapshot."""
    page_items = items_of_page(snapshot.pages[0])
    shown_items = page_items if hidden else list(filter(is_shown, page_items))
    page_size = query.limit
    while page_size and len(page_items) == page_size and len(shown_items) < (query.limit or 0):
        page_size = max((query.limit or 0) - len(shown_items), _PAGE)
        next_query = query._replace(limit=page_size)
        if query.newest:
            next_query = next_query._replace(before=page_items[0].seq)
        else:
            next_query = next_query._replace(after=page_items[-1].seq)
        page_items = items_of_page(stream.read(next_query).pages[0])
        more_items = list(filter(is_shown, page_items))
        shown_items = [*more_items, *shown_items] if query.newest else [*shown_items, *more_items]
    if query.limit is None or len(shown_items) <= query.limit:
        return shown_items
    return shown_items[-query.limit :] if query.newest else shown_items[: query.limit]


def newest_records(stream: SessionStream, count: int) -> tuple[Snapshot, list[Record]]:
    """The newest records with so many shown items among them, and all that is behind those.

    They belong to one snapshot, so that a compare-and-set may follow.
    """
    page_size = count
    while True:
        snapshot = stream.read(items_query(stream, limit=page_size, newest=True))
        records = snapshot.pages[0].records
        items = items_of_page(snapshot.pages[0])
        shown_indexes = [index for index, item in enumerate(items) if is_shown(item)]
        if len(shown_indexes) >= count or len(records) < page_size:
            first_index = shown_indexes[-count] if 0 < count <= len(shown_indexes) else 0
            return snapshot, records[first_index:]
        page_size = min(2 * page_size + _PAGE, MAX_COUNT)


def is_shown(item: Item) -> bool:
    """Return True if listings show the item."""
    return not item.hidden


def info(stream: SessionStream) -> SessionInfo | None:
    """As `Session.info`."""
    snapshot = stream.read(items_query(stream, limit=1, newest=True))
    if snapshot.info is None:
        return None
    metadata = json_text.copy_json(snapshot.info.metadata)
    session_info = dataclasses.replace(snapshot.info, metadata=metadata)
    if not snapshot.pages[0].records:
        return session_info
    newest_time = utc_datetime(snapshot.pages[0].records[0].at)
    updated_at = max(newest_time, session_info.updated_at or newest_time)
    return dataclasses.replace(session_info, updated_at=updated_at)


def choose_window(
    stream: SessionStream,
    policies: Sequence[Policy],
    lookback: int,
    counter: TokenCounter | None,
    *,
    shorten: bool = True,
    load_large: bool = True,
    view: Callable[[list[Item]], list[Item]] | None = None,
) -> Window:
    """The window that the policies select; `lookback=ALL` reads without a limit.

    `view` gets the items as they are read, and returns them as they shall be seen.

    With `shorten=False` large tool results count, and are returned, whole. Without `load_large`,
    items need not have their large parts.
    """
    _check_window_options(lookback, counter)
    lookback = min(lookback, ALL)
    page_size = first_page_size(policies, LOOKBACK if lookback == ALL else lookback)
    traits = joint_traits(policies)
    recent_reader = RecentReader(stream, borrow=traits.part and view is None)
    apply_view = view or (lambda items: items)
    newest_items, first_items = recent_reader.newest(page_size, traits.head)
    is_shortened = shorten and (traits.readable or bool(result_caps(policies)))
    large_parts = LargeParts(stream, all_at_once=not traits.part, results_at_once=is_shortened)
    while True:
        window = choose(
            apply_view(large_parts.fill(newest_items)),
            apply_view(large_parts.fill(first_items)),
            lambda before, limit: apply_view(large_parts.fill(recent_reader.older(before, limit))),
            policies,
            now=recent_reader.now,
            size=page_size,
            lookback=lookback,
            counter=counter,
            session=stream.stream_name,
            shorten=shorten,
        )
        if not (load_large and large_parts.load_shown(window)):
            break
    if recent_reader.borrowed:
        window.replace_shared(recent_reader.borrowed)
    return window


def _check_window_options(lookback: object, counter: object) -> None:
    if type(lookback) is not int or lookback < 1:
        raise ConfigError(f"lookback must be a whole number of at least 1, got {shown(lookback)}")
    if counter is not None and not callable(counter):
        raise ConfigError(f"counter must be a callable, got {type(counter).__name__}")


def older_items(stream: SessionStream) -> Fetch:
    """A function that reads the items before a seq."""
    return lambda before, limit: items_of_page(
        stream.read(items_query(stream, limit=limit, newest=True, before=before)).pages[0]
    )


def items_query(stream: SessionStream, **bounds: Any) -> Query:
    """A query for items of the session."""
    return Query(stream.stream_name, "item", **bounds)


def seq_of(stream: SessionStream, field: str, reference: int | str | None) -> int | None:
    """The seq of an item, given by its id or seq."""
    if reference is None:
        return None
    if type(reference) is int:
        return max(-1, min(reference, MAX_SEQ))
    if not isinstance(reference, str):
        raise InputError(f"{field} must be an item's id or a seq, {names.got(reference)}")
    records = stream.read(items_query(stream, ids=[names.key(reference)])).pages[0].records
    if not records and stream.engine.discards:
        return 0
    if not records:
        raise NotFound(f"{field}: session {shown(stream.id)} has no item {shown(reference)}")
    return records[0].seq


def items_of_page(page: Page) -> list[Item]:
    """The items of a page."""
    return [item_codec.read_item(record) for record in page.records]


def whole_number(name: str, number: int | None) -> int | None:
    """Validate an optional whole number of at least 0, capped at `MAX_COUNT`."""
    if number is not None and (type(number) is not int or number < 0):
        raise InputError(f"{name} must be a whole number of at least 0, got {shown(number)}")
    return None if number is None else min(number, MAX_COUNT)
