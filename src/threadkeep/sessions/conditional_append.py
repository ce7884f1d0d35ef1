"""Appends to a session if its newest item is the expected one, together with its metadata."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from threadkeep.core import names
from threadkeep.core.redaction import redacted_info
from threadkeep.sessions import rollback
from threadkeep.sessions.append import without_pages
from threadkeep.sessions.append_beside import Change, commit
from threadkeep.sessions.read import items_of_page, items_query, whole_items
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import Item, Json, SessionInfo
from threadkeep.types.timestamps import utc_datetime


class Tail(NamedTuple):
    """What an append is decided on, all of one version.

    Attributes:
        info: of the session; `None` = it does not exist.
        version: of its stream.
        newest: its newest item, also if that is hidden.
        stored: the items that have the ids asked for, by id.
    """

    info: SessionInfo | None
    version: int
    newest: Item | None
    stored: Mapping[str, Item]


class Addition(NamedTuple):
    """What to write: items, and the new metadata of the session (`None` = unchanged)."""

    items: Sequence[Item]
    metadata: Mapping[str, Json] | None = None


Decide = Callable[[Tail], Addition | None]
"""Says what to write, if anything; raises to prevent the write. May be called again."""


def add_if(stream: SessionStream, ids: Sequence[str], decide: Decide) -> list[Item] | None:
    """Append what `decide` says, in one atomic step; nobody writes in between.

    What exceeds 1,000 items or 4 MB is written in several steps, the metadata with the last one.
    If one fails, it is all taken back; if somebody wrote in between, `decide` is asked again.

    Args:
        stream: of the session, which begins if it does not exist.
        ids: of items to look up.
        decide: gets the end of the session.

    Returns:
        The items as stored; `None` if `decide` returned `None`. A store that keeps nothing does not
        ask it: none.

    Raises:
        InputError: an item cannot be stored; nothing was written.
        NotOwner: the session belongs to another user; nothing was written.
    """

    def step() -> list[Item] | None:
        snapshot, session_end = _read_tail(stream, ids)
        addition = decide(session_end)
        if addition is None:
            return None
        change = Change(addition.items, info=_new_info(stream, snapshot, addition))
        return commit(stream, snapshot, change, refer=partial(without_pages, stream))

    return [] if stream.engine.discards else stream.retry(step)


def _read_tail(stream: SessionStream, ids: Sequence[str]) -> tuple[Snapshot, Tail]:
    snapshot = rollback.read(
        stream,
        items_query(stream, limit=1, newest=True),
        items_query(stream, ids=[names.key(id) for id in ids]),
    )
    newest_items, named_items = map(items_of_page, snapshot.pages)
    item_by_id = {item.id: item for item in whole_items(stream, named_items)}
    session_end = Tail(snapshot.info, snapshot.version, next(iter(newest_items), None), item_by_id)
    return snapshot, session_end


def _new_info(stream: SessionStream, snapshot: Snapshot, addition: Addition) -> SessionInfo | None:
    """The session's info with the new metadata; `None` = unchanged."""
    if addition.metadata is None:
        return None
    session_info = stream.claim(snapshot)
    created_at = session_info.created_at or utc_datetime(stream.engine.now())
    new_info = replace(session_info, metadata=dict(addition.metadata), created_at=created_at)
    return redacted_info(stream.engine, new_info)
