"""Implements `Session.hide` and `unhide`, and changes to many items in one commit."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from threadkeep.core import item_codec, names
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.redaction import redacted_item
from threadkeep.sessions import blob_release, blob_upload, blobs
from threadkeep.sessions.blob_upload import Upload
from threadkeep.sessions.branch_paths import is_hidden_on_its_branch, label, marks
from threadkeep.sessions.outdated import drop_segments, drop_summary, notify_edited
from threadkeep.sessions.read import items_query
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import Item, Record
from threadkeep.types.timestamps import utc_datetime

_MAX_IDS: Final = 500
"""Items that one commit changes: fewer than a store takes, so that they stay below 4 MB as well."""


def set_hidden(stream: SessionStream, ids: Iterable[str], hidden: bool) -> int:
    """As `Session.hide` and `unhide`."""
    unique_ids = list(dict.fromkeys(names.check(item_id, "id") for item_id in ids))
    return sum(_change(stream, (), batch, hidden=hidden) for batch in _batches(unique_ids))


def replace_items(
    stream: SessionStream,
    items: Sequence[Item],
    hide: Collection[str] = (),
    *,
    keep_summary: bool = False,
) -> None:
    """Put other content in the place of stored items, and hide others.

    One commit up to 500 items. Each keeps its place and its date; one that is not stored any more
    is not stored anew.

    Args:
        stream: of the session.
        items: with the ids of stored items; their `hidden` is what it shall be.
        hide: ids of other items.
        keep_summary: keep a summary of the session that covers hidden items: it stands for them.
    """
    first_hidden_ids = [] if len(items) > _MAX_IDS else list(hide)[: _MAX_IDS - len(items)]
    for batch_start in range(0, max(len(items), 1), _MAX_IDS):
        item_batch = items[batch_start : batch_start + _MAX_IDS]
        _change(stream, item_batch, first_hidden_ids, hidden=True, keep_summary=keep_summary)
    for id_batch in _batches(list(hide)[len(first_hidden_ids) :]):
        _change(stream, (), id_batch, hidden=True, keep_summary=keep_summary)


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _MAX_IDS] for start in range(0, len(ids), _MAX_IDS))


def _change(
    stream: SessionStream,
    items: Sequence[Item],
    ids: Sequence[str],
    *,
    hidden: bool,
    keep_summary: bool = False,
) -> int:
    """Replace items, and set `hidden` of others; returns how many were changed."""
    item_by_key = {names.key(item.id): _redacted(stream, item) for item in items}
    record_keys = list(dict.fromkeys([*item_by_key, *(names.key(item_id) for item_id in ids)]))
    if not record_keys:
        return 0

    def step() -> int:
        snapshot = stream.read(items_query(stream, ids=record_keys))
        now, uploads, changes = stream.engine.now(), list[Upload](), list[tuple[int, Record]]()
        for record in snapshot.pages[0].records:
            new_item = item_by_key.get(record.id)
            if new_record := _changed_record(record, new_item, hidden, now, uploads):
                changes.append((record.seq, new_record))
        if changes:
            _write(stream, snapshot, [record for _, record in changes], uploads)
            seqs = [seq for seq, record in changes if not keep_summary or record.id in item_by_key]
            if seqs:
                drop_summary(stream, snapshot, min(seqs))
            drop_segments(stream, snapshot)
        return len(changes)

    changed_count = stream.retry(step)
    if changed_count:  # what a summary stands for was said all the same
        notify_edited(stream, [*(item.id for item in items), *(() if keep_summary else ids)])
    return changed_count


def _write(
    stream: SessionStream, snapshot: Snapshot, records: list[Record], uploads: list[Upload]
) -> None:
    """Write changed records and their large parts, and release parts that are not needed now."""
    blob_upload.store(stream.engine, stream.id, stream.claim(snapshot).user, uploads)
    old_records = snapshot.pages[0].records
    old_references = blob_release.references_before(stream.engine, stream.id, old_records)
    stream.compare_and_set(snapshot, put=records)
    blob_ids_by_item = {record.id: blobs.blob_ids(record) for record in records}
    blob_release.release(stream.engine, stream.id, old_references, blob_ids_by_item)


def _redacted(stream: SessionStream, item: Item) -> Item:
    """The item as redacted; the branch it is hidden for keeps its name."""
    new_item, branch_marks = redacted_item(stream.engine, item), marks(item)
    if not branch_marks or new_item is item:
        return new_item
    return dataclasses.replace(new_item, metadata={**new_item.metadata, **branch_marks})


def _changed_record(
    record: Record, item: Item | None, hidden: bool, now: float, uploads: list[Upload]
) -> Record | None:
    """The record to write, or `None` if nothing changes or it cannot be read.

    Its large parts are appended to `uploads`.
    """
    if item is None:
        return _with_hidden(record, hidden, now)
    try:
        old_item = item_codec.decode_item(record)
    except UnreadableRecord:
        created_at = utc_datetime(record.at)
    else:
        created_at = old_item.created_at or utc_datetime(record.at)
        if dataclasses.replace(item, seq=old_item.seq, created_at=created_at) == old_item:
            return None
    new_item = dataclasses.replace(item, created_at=created_at)
    new_record, large_parts = item_codec.encode_item(new_item, item.id, now, "item")
    if large_parts and item_codec.item_record(new_item, item.id, record.at).body == record.body:
        return None
    uploads.append(Upload(new_record.id, large_parts))
    return new_record


def _with_hidden(record: Record, hidden: bool, now: float) -> Record | None:
    """As `item_codec.with_hidden`; an item of a branch that is not shown changes there alone."""
    item = item_codec.read_item(record)
    if (branch := label(item)) is None:
        return item_codec.with_hidden(record, hidden, now)
    if is_hidden_on_its_branch(item) is hidden:
        return None
    return item_codec.with_branch(record, branch, now, hidden)
