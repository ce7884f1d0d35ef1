"""What a session's reading verbs do: pages of items, windows, and what is known of it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any, Final

from threadkeep.core import item_codec, names
from threadkeep.errors import ConfigError, InputError, NotFound
from threadkeep.protocols import Policy, TokenCounter
from threadkeep.sessions.recent import RecentReader
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import LAST, MOST, Item, Listing, Page, Query, SessionInfo
from threadkeep.types.timestamps import moment
from threadkeep.window import LOOKBACK, Fetch, Window, choose, first_page, promises

ALL: Final = sys.maxsize


def items(
    door: SessionStream,
    last: int | None,
    after: int | str | None,
    before: int | str | None,
    limit: int | None,
) -> Listing[Item]:
    """As `Session.items`."""
    if last is not None and limit is not None:
        raise InputError("last= and limit= contradict each other: give one of them")
    last, limit = whole("last", last), whole("limit", limit)
    if last is not None and after is None and before is None:
        return Listing(RecentReader(door).newest(last)[0])
    query = items_of(
        door,
        limit=last if limit is None else limit + 1,
        newest=last is not None,
        after=place(door, "after", after),
        before=place(door, "before", before),
    )
    found = read(door.look(query).pages[0])
    if limit is None or len(found) <= limit:
        return Listing(found)
    return Listing(found[:limit], cursor=found[limit - 1].seq if limit else after)


def info(door: SessionStream) -> SessionInfo | None:
    """As `Session.info`."""
    seen = door.look(items_of(door, limit=1, newest=True))
    if seen.info is None:
        return None
    own = dataclasses.replace(seen.info, metadata=item_codec.copied(seen.info.metadata))
    if not seen.pages[0].records:
        return own
    newest = moment(seen.pages[0].records[0].at)
    return dataclasses.replace(own, updated_at=max(newest, own.updated_at or newest))


def choose_window(
    door: SessionStream, policies: Sequence[Policy], lookback: int, counter: TokenCounter | None
) -> Window:
    """The window that the policies leave; `ALL` looks back without end."""
    if type(lookback) is not int or lookback < 1:
        raise ConfigError(f"lookback must be a whole number of at least 1, got {lookback!r}")
    if counter is not None and not callable(counter):
        raise ConfigError(f"counter must be a callable, got {type(counter).__name__}")
    lookback = min(lookback, ALL)
    size = first_page(policies, LOOKBACK if lookback == ALL else lookback)
    past = RecentReader(door, borrow=all(promises(policies, "part", False)))
    page, head = past.newest(size, max(promises(policies, "head", 0), default=0))
    window = choose(
        page,
        head,
        past.older,
        policies,
        now=past.now,
        size=size,
        lookback=lookback,
        counter=counter,
    )
    if past.lent:
        window.own(past.lent)
    return window


def older_of(door: SessionStream) -> Fetch:
    """Reads on from a seq, towards older items."""
    return lambda before, limit: read(
        door.look(items_of(door, limit=limit, newest=True, before=before)).pages[0]
    )


def items_of(door: SessionStream, **bounds: Any) -> Query:
    """A query for items of the session."""
    return Query(door.stream, "item", **bounds)


def place(door: SessionStream, field: str, place: int | str | None) -> int | None:
    """The seq of an item named by its id; a seq as it is."""
    if place is None:
        return None
    if type(place) is int:
        return max(-1, min(place, LAST))
    if not isinstance(place, str):
        raise InputError(f"{field} must be an item's id or a seq, got {type(place).__name__}")
    records = door.look(items_of(door, ids=[names.key(place)])).pages[0].records
    if not records:
        raise NotFound(f"{field}: session {door.id!r} has no item {place!r}")
    return records[0].seq


def read(page: Page) -> list[Item]:
    """The items of a page."""
    return [item_codec.read_item(record) for record in page.records]


def whole(name: str, number: int | None) -> int | None:
    """The number, if it is a whole one of at least 0, or `None`; no more than stores can count."""
    if number is not None and (type(number) is not int or number < 0):
        raise InputError(f"{name} must be a whole number of at least 0, got {number!r}")
    return None if number is None else min(number, MOST)
