"""Implements `Session.add` and `Session.set_items`: messages of any shape become records."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from threadkeep.core import item_codec, names
from threadkeep.core.engine import Engine
from threadkeep.core.redaction import redacted_item
from threadkeep.errors import Conflict, InputError
from threadkeep.messages import read_all
from threadkeep.printable import shown
from threadkeep.sessions import blob_release, blob_upload, blobs, derived, recall_segments
from threadkeep.sessions.blob_upload import Upload
from threadkeep.sessions.item_identity import IdClaims, is_reference
from threadkeep.sessions.read import items_query, older_items, whole_items
from threadkeep.sessions.retention import apply_retention
from threadkeep.sessions.storable import storable_record
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import Drop, Item, Page, Record, SessionInfo
from threadkeep.types.batching import batches
from threadkeep.types.timestamps import utc_datetime
from threadkeep.window.shorten.references import referring


class Draft(NamedTuple):
    """Messages as items and records that are not written yet.

    Attributes:
        items: one for each entry of the result, references included.
        ids: the id of each.
        records: of the items that are no references.
        now: the time of writing.
        claims: the ids given by the caller; `None` = all are new.
        uploads: the large parts of the records.
    """

    items: list[Item]
    ids: list[str]
    records: list[Record]
    now: float
    claims: IdClaims | None
    uploads: list[Upload]

    @property
    def blob_ids(self) -> dict[str, frozenset[str]]:
        """The blobs of each item that has some, by record id."""
        return {upload.item: frozenset(blob.id for blob in upload.blobs) for upload in self.uploads}

    def stored(self, seqs: Iterable[int]) -> list[Item]:
        """The items with the seqs of their records; a reference becomes the item it names."""
        remaining_seqs = iter(seqs)
        created_at = utc_datetime(self.now)
        if self.claims is None:
            items_ids_seqs = zip(self.items, self.ids, remaining_seqs, strict=True)
            return [item_codec.stamp(item, id, seq, created_at) for item, id, seq in items_ids_seqs]
        item_by_key = dict(self.claims.referred)
        for item, item_id in zip(self.items, self.ids, strict=True):
            if not is_reference(item):
                stamped_item = item_codec.stamp(item, item_id, next(remaining_seqs), created_at)
                item_by_key[names.key(item_id)] = self.claims.as_stored(stamped_item)
            else:  # of a store that keeps nothing
                item_by_key.setdefault(names.key(item_id), item)
        return [item_by_key[names.key(id)] for id in self.ids]


def add(stream: SessionStream, messages: Sequence[object], format: str | None = None) -> list[Item]:
    """As `Session.add`."""
    draft = make_draft(
        stream.engine, stream.id, messages, format=format, refer=partial(without_pages, stream)
    )
    if draft.uploads:
        upload(stream, draft)
    seqs = list[int]()
    for record_batch in list(batches(draft.records)) or [[]]:
        seqs += _write(stream, draft.claims, record_batch, first=not seqs)
    if draft.claims is not None and draft.claims.changes:
        recall_segments.drop_touched(stream.engine, stream.owner, stream.id)
    return finish(stream, draft, seqs)


def finish(stream: SessionStream, draft: Draft, seqs: Sequence[int]) -> list[Item]:
    """What follows once a draft is written: old items go, and who listens is told."""
    if stream.engine.settings.retain:
        apply_retention(stream, seqs)
    return notify_listener(stream, draft, seqs)


def set_items(stream: SessionStream, messages: Sequence[object]) -> list[Item]:
    """As `Session.set_items`."""
    draft = make_draft(stream.engine, stream.id, messages)
    if draft.claims is not None:
        draft.claims.check_alone()
    first_batch, *later_batches = list(batches(draft.records)) or [[]]
    if draft.uploads:
        upload(stream, draft)

    def step() -> list[int]:
        snapshot = stream.read(blobs.query(stream.engine, stream.id))
        if not first_batch and snapshot.info is None:
            return []
        seq_by_item_id = stored_with_blobs(stream, snapshot, snapshot.pages[0])
        info = without_branches(stream, snapshot)
        new_seqs = stream.compare_and_set(snapshot, put=first_batch, drop=[Drop("item")], info=info)
        if snapshot.info is not None:
            derived.invalidate_summary(stream.engine, stream.id)
            recall_segments.drop_touched(stream.engine, snapshot.info.user, stream.id)
        if seq_by_item_id:
            blob_ids_by_item = dict.fromkeys(seq_by_item_id, frozenset[str]()) | draft.blob_ids
            blob_release.release(stream.engine, stream.id, snapshot.pages[0], blob_ids_by_item)
        return new_seqs

    seqs = stream.retry(step)
    for record_batch in later_batches:
        seqs += _write(stream, draft.claims, record_batch, first=False)
    return notify_listener(stream, draft, seqs)


def without_branches(stream: SessionStream, snapshot: Snapshot) -> SessionInfo | None:
    """The info of a session that loses all its items; `None` = it has no branches."""
    if snapshot.info is None or not snapshot.info.branches:
        return None
    return dataclasses.replace(stream.claim(snapshot), branches=())


def make_draft(
    engine: Engine,
    session: str,
    messages: Sequence[object],
    noun: str = "message",
    format: str | None = None,
    refer: Callable[[Item], Item] | None = None,
) -> Draft:
    """Read messages into a draft.

    Args:
        engine: of the session.
        session: the session's id.
        messages: as for `Session.add`.
        noun: what an error calls one of them.
        format: as for `Session.add`.
        refer: makes references of what the session holds already; called for tool results.

    Raises:
        InputError: a message cannot be understood or stored, or two have the same id.
    """
    entries = _read_messages(engine, messages, noun, format, refer)
    now = engine.now()
    item_ids = engine.new_ids(now, len(entries))
    claims = IdClaims(session, entries, noun) if any(item.id for _, item in entries) else None
    if claims is not None:
        item_ids = [
            names.join_surrogates(item.id) or new_id
            for (_, item), new_id in zip(entries, item_ids, strict=True)
        ]
        _check_unique(
            [id for (_, item), id in zip(entries, item_ids, strict=True) if not is_reference(item)],
            noun,
        )
    items, records, uploads = _encode(entries, item_ids, now, noun)
    return Draft(items, item_ids, records, now, claims, uploads)


def _encode(
    numbered_items: list[tuple[int, Item]], ids: list[str], now: float, noun: str
) -> tuple[list[Item], list[Record], list[Upload]]:
    """The items as stored, the records of those that are no references, and their large parts."""
    items: list[Item] = []
    records: list[Record] = []
    uploads: list[Upload] = []
    for (message_number, item), id in zip(numbered_items, ids, strict=True):
        if is_reference(item):
            items.append(item)
            continue
        storable, record, large_parts = storable_record(item, id, now, f"{noun} {message_number}")
        items.append(storable)
        records.append(record)
        if large_parts:
            uploads.append(Upload(record.id, large_parts))
    return items, records, uploads


def _read_messages(
    engine: Engine,
    messages: Sequence[object],
    noun: str,
    format: str | None,
    refer: Callable[[Item], Item] | None,
) -> list[tuple[int, Item]]:
    """The items of messages, redacted, each with the number of its message."""
    numbered_items = read_all(messages, noun, format)
    if engine.settings.redactor is not None:
        numbered_items = [(number, redacted_item(engine, item)) for number, item in numbered_items]
    if refer is not None:
        numbered_items = [
            (number, refer(item) if item.tool_call_id else item) for number, item in numbered_items
        ]
    return numbered_items


def stored_with_blobs(stream: SessionStream, snapshot: Snapshot, page: Page) -> dict[str, int]:
    """The seqs of the items in the session at a snapshot that have large parts, by record id.

    Args:
        stream: of the session.
        snapshot: of it.
        page: the references to its blobs.

    Raises:
        Conflict: the session changed since the snapshot.
    """
    item_ids = list(dict.fromkeys(reference.item for reference in blobs.references(page)))
    if not item_ids:
        return {}
    item_page = stream.read(items_query(stream, ids=item_ids)).pages[0]
    if item_page.version != snapshot.version:
        raise Conflict("the session changed meanwhile", current=item_page.version)
    return {record.id: record.seq for record in item_page.records}


def upload(stream: SessionStream, draft: Draft) -> None:
    """Store the large parts of a draft, if the session may be written to.

    Raises:
        NotOwner: it belongs to another user; nothing was written.
    """
    session_info = stream.read().info
    owner_id = stream.user if session_info is None else session_info.user or stream.user
    blob_upload.store(stream.engine, stream.id, owner_id, draft.uploads)


def without_pages(stream: SessionStream, result: Item) -> Item:
    """The result as it is stored: pages that `read_more` made of another one are references."""
    read_older_items = older_items(stream)

    def find(seq: int) -> Item | None:
        items_at_seq = [item for item in read_older_items(seq + 1, 1) if item.seq == seq]
        return next(iter(whole_items(stream, items_at_seq)), None)

    return referring(result, stream.stream_name, find)


def _write(
    stream: SessionStream, claims: IdClaims | None, batch: list[Record], *, first: bool
) -> list[int]:
    """Write a batch of a draft; with the first batch, the ids of all batches are checked."""
    is_unchecked = claims is None or stream.engine.discards
    keys = [] if claims is None or is_unchecked else claims.keys if first else claims.keys_of(batch)
    if claims is None or not keys:
        return stream.append(batch) if batch else []
    return stream.append_checked(batch, keys, claims.check if first else claims.check_new)


def notify_listener(stream: SessionStream, draft: Draft, seqs: Sequence[int]) -> list[Item]:
    """Tell the listener about new items; returns all added items."""
    stored_items = whole_items(stream, draft.stored(seqs))  # a reference may name a large item
    if stream.engine.listener is not None:
        new_items = [
            stored_item
            for stored_item, item in zip(stored_items, draft.items, strict=True)
            if not is_reference(item)
        ]
        stream.engine.listener.note(stream.id, new_items)
    return stored_items


def _check_unique(ids: list[str], noun: str) -> None:
    if len(set(ids)) < len(ids):
        count_by_id = Counter(ids)
        duplicate_id = next(item_id for item_id in ids if count_by_id[item_id] > 1)
        raise InputError(
            f"two {noun}s have the id {shown(duplicate_id)}; ids are unique in a session"
        )
