"""Implements the verbs that change a session, each as a compare-and-set with retries."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from itertools import dropwhile
from typing import Any, Final

from threadkeep.core import item_codec, json_text, names
from threadkeep.core.redaction import redacted_info, redacted_item
from threadkeep.errors import InputError, NotFound
from threadkeep.messages import read
from threadkeep.printable import shown
from threadkeep.sessions import (
    blob_copy,
    blob_release,
    blob_upload,
    blobs,
    branch_starts,
    derived,
)
from threadkeep.sessions.append import stored_with_blobs
from threadkeep.sessions.blob_upload import Upload
from threadkeep.sessions.branch_paths import label, marks
from threadkeep.sessions.create import create_session
from threadkeep.sessions.item_identity import is_reference
from threadkeep.sessions.outdated import drop_derived, drop_segments, notify_edited
from threadkeep.sessions.read import (
    is_shown,
    items_query,
    newest_records,
    seq_of,
    whole_items,
    whole_number,
)
from threadkeep.sessions.storable import storable_record
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Drop, Item, Page, Query, Record, SessionInfo
from threadkeep.types.timestamps import utc_datetime

UNSET: Final[Any] = object()


def update(
    stream: SessionStream,
    title: str | None,
    metadata: Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]] | None,
) -> SessionInfo:
    """As `Session.update`; `title=UNSET` leaves it."""
    if title is not UNSET and title is not None and not isinstance(title, str):
        raise InputError(f"title must be a str or None, got {type(title).__name__}")
    metadata_changes = None if callable(metadata) else json_object(metadata)

    def step() -> SessionInfo:
        snapshot, now = stream.read(), stream.engine.now()
        old_info = stream.claim(snapshot)
        changes = metadata_changes
        if changes is None and callable(metadata):
            changes = json_object(metadata(json_text.copy_json(old_info.metadata)))
        merged_metadata = {**old_info.metadata, **(changes or {})}
        new_info = dataclasses.replace(
            old_info,
            title=old_info.title if title is UNSET else title,
            metadata={key: value for key, value in merged_metadata.items() if value is not None},
            created_at=old_info.created_at or utc_datetime(now),
        )
        new_info = redacted_info(stream.engine, new_info)
        stream.compare_and_set(snapshot, info=new_info)
        return dataclasses.replace(new_info, updated_at=utc_datetime(now))

    return stream.retry(step)


def replace(stream: SessionStream, id: str, item: object) -> Item:
    """As `Session.replace`."""
    id, replacement = names.check(id, "id"), _one_item(item)

    def step() -> Item:
        snapshot = stream.read(items_query(stream, ids=[names.key(id)]))
        records = snapshot.pages[0].records
        if not records and not stream.engine.discards:
            raise NotFound(f"session {shown(stream.id)} has no item {shown(id)} to replace")
        old_item = item_codec.read_item(records[0]) if records else replacement
        new_item = _in_place_of(old_item, redacted_item(stream.engine, replacement), id)
        new_item, record, large_parts = storable_record(new_item, id, stream.engine.now(), "item")
        owner_id = stream.claim(snapshot).user
        blob_upload.store(stream.engine, stream.id, owner_id, [Upload(record.id, large_parts)])
        old_references = blob_release.references_before(stream.engine, stream.id, records)
        seq = stream.compare_and_set(snapshot, put=[record])[0]
        drop_derived(stream, snapshot, seq)
        blob_ids_by_item = {record.id: blobs.blob_ids(record)}
        blob_release.release(stream.engine, stream.id, old_references, blob_ids_by_item)
        return dataclasses.replace(new_item, seq=seq)

    stored_item = stream.retry(step)
    notify_edited(stream, [id])
    return stored_item


def _one_item(item: object) -> Item:
    """What `replace` is given, read: one item, and no reference."""
    items = read(item, "item")
    if len(items) != 1:
        raise InputError(f"item must be one item, got a message that makes {len(items)}")
    if is_reference(items[0]):
        raise InputError("item is a reference, which cannot be stored; pass the item it names")
    return items[0]


def _in_place_of(old: Item, new: Item, id: str) -> Item:
    """The new item with what stays of the old one: its id, its date, and whether it is shown."""
    return dataclasses.replace(
        new,
        id=id,
        created_at=new.created_at or old.created_at,
        hidden=old.hidden,
        metadata={**new.metadata, **marks(old)},
    )


def rewind(stream: SessionStream, before: str | int | None, last: int | None) -> list[Item]:
    """As `Session.rewind`."""
    if (before is None) == (last is None):
        raise InputError("rewind needs either before= (an item's id or a seq) or last=")
    item_count = whole_number("last", last)

    def step() -> list[Item]:
        if item_count is not None:
            snapshot, records = newest_records(stream, item_count)
            records = list(dropwhile(_is_hidden, records))  # those of fewer than were asked for
        else:
            after_seq = (seq_of(stream, "before", before) or 0) - 1
            snapshot = stream.read(items_query(stream, after=after_seq))
            records = snapshot.pages[0].records
        records = [record for record in records if label(item_codec.read_item(record)) is None]
        removed_items = whole_items(stream, list(map(item_codec.read_item, records)))
        if records:
            removed_ids = [record.id for record in records]
            old_references = blob_release.references_before(stream.engine, stream.id, records)
            session_info = branch_starts.after_removal(stream, snapshot, removed_ids)
            stream.compare_and_set(snapshot, drop=[Drop("item", removed_ids)], info=session_info)
            drop_derived(stream, snapshot, records[0].seq)
            blob_release.release(
                stream.engine, stream.id, old_references, dict.fromkeys(removed_ids, ())
            )
        return list(filter(is_shown, removed_items))

    removed_items = stream.retry(step)
    notify_edited(stream, [item.id for item in removed_items])
    return removed_items


def _is_hidden(record: Record) -> bool:
    return not is_shown(item_codec.read_item(record))


def remove(stream: SessionStream, *ids: str, notify: bool = True) -> None:
    """As `Session.remove`; `notify=False`: the caller looks after what came of the items."""
    keys = [names.key(names.check(item_id, "id")) for item_id in ids]

    def step() -> None:
        snapshot = stream.read(items_query(stream, ids=keys), blobs.query(stream.engine, stream.id))
        if snapshot.info is not None and keys:
            session_info = branch_starts.after_removal(stream, snapshot, keys)
            stream.compare_and_set(snapshot, drop=[Drop("item", keys)], info=session_info)
        if removed_records := snapshot.pages[0].records:
            drop_derived(stream, snapshot, removed_records[0].seq)
        blob_release.release(stream.engine, stream.id, snapshot.pages[1], dict.fromkeys(keys, ()))

    stream.retry(step)
    if notify:
        notify_edited(stream, ids)


def fork(stream: SessionStream, copy: SessionStream, upto: str | int | None) -> None:
    """As `Session.fork`, into the stream of another session."""
    end_seq = seq_of(stream, "upto", upto)
    snapshot = stream.read(
        items_query(stream, before=None if end_seq is None else end_seq + 1),
        Query(stream.stream_name, "file"),
    )
    if snapshot.info is None and stream.engine.discards:
        return
    if snapshot.info is None:
        raise NotFound(f"session {shown(stream.id)} does not exist, so it cannot be forked")
    user_id = snapshot.info.user or copy.user
    fork_info = dataclasses.replace(
        snapshot.info,
        id=copy.id,
        user=user_id,
        created_at=None,
        forked_from=stream.id,
        branches=branch_starts.within(stream, snapshot.info, end_seq),
    )
    forked_records = [
        item_codec.forked_record(record)
        for record_page in snapshot.pages
        for record in record_page.records
    ]
    blob_copy.copy(stream.engine, stream.id, copy.id, user_id, snapshot.pages[0].records)
    create_session(copy, fork_info, forked_records)


def clear(stream: SessionStream, keep_last: int, files: bool) -> None:
    """As `Session.clear`."""
    keep_count = whole_number("keep_last", keep_last) or 0

    def step() -> None:
        snapshot, records = newest_records(stream, keep_count + 1)
        items = list(map(item_codec.read_item, records))
        is_cut = sum(map(is_shown, items)) > keep_count or (bool(items) and not keep_count)
        last_dropped_seq = items[0 if keep_count else -1].seq if is_cut else 0
        drops = [Drop("item", upto=last_dropped_seq)] if is_cut else []
        if files and snapshot.info is not None:
            drops.append(Drop("file"))
        blob_query = blobs.query(stream.engine, stream.id)
        blob_page = stream.engine.read(blob_query)[0] if is_cut else Page(0, [])
        seq_by_item_id = stored_with_blobs(stream, snapshot, blob_page)
        remaining_items = [item for item in items if item.seq > last_dropped_seq]
        session_info = branch_starts.after_clear(stream, snapshot, remaining_items)
        if drops or session_info is not None:  # branches end also where no item is left
            stream.compare_and_set(snapshot, drop=drops, info=session_info)
        if is_cut:
            derived.invalidate_summary(stream.engine, stream.id)
            drop_segments(stream, snapshot)
        blob_ids_by_item = dict.fromkeys(
            (item_id for item_id, seq in seq_by_item_id.items() if seq <= last_dropped_seq), ()
        )
        blob_release.release(stream.engine, stream.id, blob_page, blob_ids_by_item)

    stream.retry(step)


def json_object(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """A copy of the metadata as a dict."""
    if metadata is not None and not isinstance(metadata, Mapping):
        raise InputError(f"metadata must be a dict, got {type(metadata).__name__}")
    return dict(metadata or {})
