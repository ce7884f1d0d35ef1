"""What a session's changing verbs do: each reads, decides, and commits if nothing changed since."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final

from threadkeep.core import item_codec, names
from threadkeep.core.redaction import redacted_info, redacted_item
from threadkeep.errors import InputError, NotFound
from threadkeep.messages import parse
from threadkeep.sessions import derived
from threadkeep.sessions.item_identity import is_reference
from threadkeep.sessions.read import items_of, place, whole
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import Drop, Item, Query, SessionInfo
from threadkeep.types.timestamps import moment
from threadkeep.types.versions import generation_of

UNSET: Final[Any] = object()


def update(
    door: SessionStream,
    title: str | None,
    metadata: Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]] | None,
) -> SessionInfo:
    """As `Session.update`; `title=UNSET` leaves it."""
    if title is not UNSET and title is not None and not isinstance(title, str):
        raise InputError(f"title must be a str or None, got {type(title).__name__}")
    given = None if callable(metadata) else json_object(metadata)

    def step() -> SessionInfo:
        seen, now = door.look(), door.engine.now()
        old = door.claimant(seen)
        changed = given
        if changed is None and callable(metadata):
            changed = json_object(metadata(item_codec.copied(old.metadata)))
        merged = {**old.metadata, **(changed or {})}
        new = dataclasses.replace(
            old,
            title=old.title if title is UNSET else title,
            metadata={key: value for key, value in merged.items() if value is not None},
            created_at=old.created_at or moment(now),
        )
        new = redacted_info(door.engine, new)
        door.change(seen, info=new)
        return dataclasses.replace(new, updated_at=moment(now))

    return door.settle(step)


def replace(door: SessionStream, id: str, item: object) -> Item:
    """As `Session.replace`."""
    id = names.check(id, "id")
    parsed = parse(item, "item")
    if len(parsed) != 1:
        raise InputError(f"item must be one item, got a message that makes {len(parsed)}")
    if is_reference(parsed[0]):
        raise InputError("item is a reference, which cannot be stored; pass the item it names")

    def step() -> Item:
        seen = door.look(items_of(door, ids=[names.key(id)]))
        if not seen.pages[0].records:
            raise NotFound(f"session {door.id!r} has no item {id!r} to replace")
        old = item_codec.read_item(seen.pages[0].records[0])
        said = parsed[0].created_at or old.created_at
        said_now = redacted_item(door.engine, parsed[0])
        new = dataclasses.replace(said_now, id=id, created_at=said)
        record = item_codec.item_record(new, id, door.engine.now(), "item")
        seq = door.change(seen, put=[record])[0]
        _spoil(door, seen, seq)
        return dataclasses.replace(new, seq=seq)

    return door.settle(step)


def rewind(door: SessionStream, before: str | int | None, last: int | None) -> list[Item]:
    """As `Session.rewind`."""
    if (before is None) == (last is None):
        raise InputError("rewind needs either before= (an item's id or a seq) or last=")
    last = whole("last", last)

    def step() -> list[Item]:
        if last is not None:
            query = items_of(door, limit=last, newest=True)
        else:
            query = items_of(door, after=(place(door, "before", before) or 0) - 1)
        seen = door.look(query)
        taken = seen.pages[0].records
        if taken:
            drop = Drop("item", [record.id for record in taken])
            door.change(seen, drop=[drop])
            _spoil(door, seen, taken[0].seq)
        return [item_codec.read_item(record) for record in taken]

    return door.settle(step)


def remove(door: SessionStream, *ids: str) -> None:
    """As `Session.remove`."""
    keys = [names.key(names.check(id, "id")) for id in ids]

    def step() -> None:
        seen = door.look(items_of(door, ids=keys))
        if seen.info is not None and keys:
            door.change(seen, drop=[Drop("item", keys)])
        if found := seen.pages[0].records:
            _spoil(door, seen, found[0].seq)

    door.settle(step)


def fork(door: SessionStream, copy: SessionStream, upto: str | int | None) -> None:
    """As `Session.fork`, into the session behind another door."""
    end = place(door, "upto", upto)
    seen = door.look(
        items_of(door, before=None if end is None else end + 1), Query(door.stream, "file")
    )
    if seen.info is None:
        raise NotFound(f"session {door.id!r} does not exist, so it cannot be forked")
    user = seen.info.user or copy.user
    info = dataclasses.replace(
        seen.info, id=copy.id, user=user, created_at=None, forked_from=door.id
    )
    records = [item_codec.carried(record) for page in seen.pages for record in page.records]
    copy.begin(info, records)


def clear(door: SessionStream, keep_last: int, files: bool) -> None:
    """As `Session.clear`."""
    keep = whole("keep_last", keep_last) or 0

    def step() -> None:
        seen = door.look(items_of(door, limit=keep + 1, newest=True))
        held = seen.pages[0].records
        drop = [Drop("item", upto=held[0].seq)] if len(held) > keep else []
        if files and seen.info is not None:
            drop.append(Drop("file"))
        if drop:
            door.change(seen, drop=drop)
        if len(held) > keep:
            derived.spoil(door.engine, door.id)

    door.settle(step)


def json_object(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """Metadata as a dict of its own."""
    if metadata is not None and not isinstance(metadata, Mapping):
        raise InputError(f"metadata must be a dict, got {type(metadata).__name__}")
    return dict(metadata or {})


def _spoil(door: SessionStream, seen: Snapshot, seq: int) -> None:
    derived.spoil(door.engine, door.id, seq=seq, life=generation_of(seen.version))
