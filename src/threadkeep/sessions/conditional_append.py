"""Appends to a session if its newest item is the expected one, together with its metadata."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from threadkeep.core import names
from threadkeep.core.redaction import redacted_info
from threadkeep.sessions.append import (
    Draft,
    finish,
    make_draft,
    notify_listener,
    upload,
    without_pages,
)
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

    def step() -> tuple[Draft, list[int]] | None:
        snapshot = stream.read(
            items_query(stream, limit=1, newest=True),
            items_query(stream, ids=[names.key(id) for id in ids]),
        )
        newest, stored = map(items_of_page, snapshot.pages)
        found = {item.id: item for item in whole_items(stream, stored)}
        tail = Tail(snapshot.info, snapshot.version, next(iter(newest), None), found)
        addition = decide(tail)
        if addition is None:
            return None
        draft = make_draft(
            stream.engine, stream.id, addition.items, refer=partial(without_pages, stream)
        )
        if draft.uploads:
            upload(stream, draft)
        info = _new_info(stream, snapshot, addition, draft.now)
        return draft, stream.compare_and_set(snapshot, put=draft.records, info=info)

    if stream.engine.discards:
        return []
    written = stream.retry(step)
    if written is None:
        return None
    draft, seqs = written
    return finish(stream, draft, seqs) if seqs else notify_listener(stream, draft, seqs)


def _new_info(
    stream: SessionStream, snapshot: Snapshot, addition: Addition, now: float
) -> SessionInfo | None:
    """The session's info with the new metadata; `None` = unchanged."""
    if addition.metadata is None:
        return None
    info = stream.claim(snapshot)
    created_at = info.created_at or utc_datetime(now)
    changed = replace(info, metadata=dict(addition.metadata), created_at=created_at)
    return redacted_info(stream.engine, changed)
