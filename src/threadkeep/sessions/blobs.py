"""The large parts of a session's items, in the stream `blob/<session>`.

Each blob is in pieces, and a `blob` record for each item says that the item refers to it. Pieces
are written before the item, and deleted after it, with the last reference. So an item never lacks
its parts; what a crash leaves is found by `threadkeep.sessions.blob_orphans`. The stream never
expires, so that no clock takes it from a session.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from threadkeep.core import body, item_codec, names, parts, record_shapes
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.core.parts import Blob
from threadkeep.errors import BackendError, Conflict
from threadkeep.printable import shown
from threadkeep.types import KEEP, Drop, Item, Page, Query, Record
from threadkeep.types.batching import batches
from threadkeep.types.versions import Generation

NOUN: Final = "blob"
BLOB: Final = "blob"
"""The kind of the records that say which item refers to which blob."""

PIECE: Final = "piece"

MAX_SESSION: Final = 1_000_000_000
"""Bytes of all large parts of a session."""

_TRIES: Final = 64
_IDS: Final = 500
_UNREADABLE: Final = "a large part of it is missing"


class Reference(NamedTuple):
    """A `blob` record: an item refers to a blob.

    Attributes:
        blob: the id of the blob.
        item: the record id of the item.
        size: bytes of the blob.
        pieces: how many it has.
        is_complete: whether all of them were written.
        user: the owner of the session, if it has one.
        record: as stored.
    """

    blob: str
    item: str
    size: int
    pieces: int
    is_complete: bool
    user: str | None
    record: Record


class Upload(NamedTuple):
    """Large parts to be stored for an item, by its record id."""

    item: str
    blobs: list[Blob]


def stream(engine: Engine, session: str) -> str:
    """The stream of a session's blobs."""
    return engine.stream(NOUN, session)


def query(engine: Engine, session: str) -> Query:
    """A query for all references of a session; they are few and small."""
    return Query(stream(engine, session), BLOB)


def version_query(engine: Engine, session: str) -> Query:
    """A query that tells whether a session has any blobs, and reads none."""
    return Query(stream(engine, session), BLOB, limit=0)


def references(page: Page) -> list[Reference]:
    """The references of a page."""
    parsed = []
    for record in page.records:
        try:
            fields = body.decode(record, record_shapes.BLOB)
        except UnreadableRecord as error:
            body.skip(record, error)
            continue
        parsed.append(
            Reference(
                fields["blob"],
                fields["item"],
                fields["size"],
                fields["pieces"],
                fields["complete"],
                fields.get("user"),
                record,
            )
        )
    return parsed


def store(engine: Engine, session: str, user: str | None, uploads: Sequence[Upload]) -> None:
    """Write the large parts of items that will be written next.

    Raises:
        TooLarge: the session would have more than 1 GB of them; nothing was written.
    """
    uploads = [upload for upload in uploads if upload.blobs]
    if not uploads or engine.discards:
        return
    for _ in range(_TRIES):
        page = engine.read(query(engine, session))[0]
        existing = references(page)
        _check_quota(engine, session, existing, uploads)
        with suppress(Conflict):
            _write(engine, session, user, uploads, page.version, existing)
            return
    raise BackendError(f"session {shown(session)} was changed by others all the time; try again")


def load(engine: Engine, session: str, items: Sequence[Item]) -> list[Item]:
    """The items of a session with their large parts, in one read of the pieces they need.

    An item of which a part is missing is unreadable, as by `item_codec.read_item`.
    """
    return load_all(engine, [(session, item) for item in items])


def load_all(engine: Engine, items: Sequence[tuple[str, Item]]) -> list[Item]:
    """As `load`, for items of several sessions."""
    counts = {
        (session, reference.id): reference.pieces
        for session, item in items
        for reference in parts.references_of(item)
    }
    if not counts:
        return [item for _, item in items]
    texts = _read_texts(engine, counts)
    return [_filled(item, texts.get(session, {})) for session, item in items]


def load_heads(engine: Engine, session: str, item: Item, characters: int) -> Item:
    """The item with the beginning of its large texts: at least so many characters of each."""
    counts = {
        (session, reference.id): min(
            reference.pieces, 1 + characters * reference.pieces // max(reference.length, 1)
        )
        for reference in parts.references_of(item)
        if parts.is_text(reference)
    }
    return parts.with_heads(item, _read_texts(engine, counts).get(session, {})) if counts else item


def references_before(engine: Engine, session: str, changed: Iterable[Record]) -> Page:
    """The references of a session, for `release`; read only if one of the records has blobs."""
    if any(map(blob_ids, changed)):
        return engine.read(query(engine, session))[0]
    return Page(0, [])


def release(
    engine: Engine, session: str, page: Page, still_used: Mapping[str, Collection[str]]
) -> None:
    """Delete references that a commit has ended, and the pieces of blobs without any.

    Args:
        engine: of the session.
        session: its id.
        page: the references, read before the commit: what was written since stays.
        still_used: the blobs that each removed or changed item still has, by its record id.
    """
    doomed = {
        reference.record.id: reference.record.body
        for reference in references(page)
        if reference.item in still_used and reference.blob not in still_used[reference.item]
    }
    for _ in range(_TRIES if doomed else 0):
        with suppress(Conflict):
            drop(engine, stream(engine, session), page, doomed)
            return
        page = engine.read(query(engine, session))[0]


def drop(engine: Engine, name: str, page: Page, doomed: Mapping[str, str]) -> int:
    """Drop references that are as they were, and the pieces of blobs without any other.

    Args:
        engine: of the session.
        name: the stream.
        page: its references now.
        doomed: the bodies of references, by their record id.

    Returns:
        The number of references.

    Raises:
        Conflict: the stream changed since the page was read; nothing was dropped.
    """
    stored = references(page)
    ended = [r for r in stored if doomed.get(r.record.id) == r.record.body]
    ended_ids = {r.record.id for r in ended}
    in_use = {r.blob for r in stored if r.record.id not in ended_ids}
    piece_ids = [id for r in ended if r.blob not in in_use for id in _piece_ids(r.blob, r.pieces)]
    if ended:
        drops = [Drop(PIECE, list(dict.fromkeys(piece_ids)))] if piece_ids else []
        drops.append(Drop(BLOB, sorted(ended_ids)))
        engine.commit(name, drop=drops, ttl=KEEP, expect=page.version)
    return len(ended)


def delete(engine: Engine, session: str, user: str | None = None) -> None:
    """Delete the blobs of a deleted session; with a user, only those that name them.

    Those of items that somebody else has written since stay.
    """
    name = stream(engine, session)
    for _ in range(_TRIES):
        page = engine.read(Query(name, BLOB))[0]
        if not page.version:
            return
        stored = references(page)
        used = live(engine, engine.stream("session", session), stored) if stored else []
        with suppress(Conflict):
            if not used and user is None:
                engine.commit(name, drop=[Drop()], ttl=KEEP, expect=page.version)
            else:
                used_ids = {r.record.id for r in used}
                doomed = [
                    r for r in stored if r.record.id not in used_ids and user in (None, r.user)
                ]
                drop(engine, name, page, {r.record.id: r.record.body for r in doomed})
            return


def delete_of_user(engine: Engine, user: str) -> int:
    """Delete the blobs that name a user and have no item; returns how many references."""
    count = 0
    for name in all_streams(engine):
        for _ in range(_TRIES):
            page = engine.read(Query(name, BLOB))[0]
            theirs = [r for r in references(page) if r.user == user]
            live_ids = {r.record.id for r in live(engine, session_stream(engine, name), theirs)}
            doomed = {r.record.id: r.record.body for r in theirs if r.record.id not in live_ids}
            with suppress(Conflict):
                count += drop(engine, name, page, doomed)
                break
    return count


def all_streams(engine: Engine) -> Iterator[str]:
    """The names of the streams of all sessions that have blobs."""
    prefix, cursor = names.noun_prefix(engine.settings.namespace, NOUN), None
    while True:
        stream_names, cursor = engine.streams(prefix, cursor=cursor, limit=_IDS)
        yield from stream_names
        if cursor is None:
            return


def session_stream(engine: Engine, name: str) -> str:
    """The stream of the session that a stream of blobs belongs to."""
    encoded = names.parts(name)[1]
    if encoded.startswith("="):  # hashed, as the longer name of the session's stream is too
        return names.noun_prefix(engine.settings.namespace, "session") + encoded
    return engine.stream("session", names.decoded(encoded))


def records(engine: Engine, session: str) -> Iterator[Record]:
    """All records of a session's blobs that are complete, for exports: pieces first."""
    complete = [r for r in references(engine.read(query(engine, session))[0]) if r.is_complete]
    for id, pieces in {r.blob: r.pieces for r in complete}.items():
        for piece in _piece_ids(id, pieces):
            yield from engine.read(Query(stream(engine, session), PIECE, ids=[piece]))[0].records
    yield from (r.record for r in complete)


def restore(engine: Engine, session: str, restored: Iterable[Record]) -> None:
    """Write such records; the session's items come next."""
    for batch in batches(restored):
        engine.commit(stream(engine, session), put=batch, ttl=None)


def copy(
    engine: Engine, session: str, target: str, user: str | None, items: Sequence[Record]
) -> None:
    """Copy the blobs of item records to another session, one item at a time."""
    for record in items:
        if parts.MARK not in record.body:
            continue
        item = item_codec.read_item(record)
        counts = {(session, r.id): r.pieces for r in parts.references_of(item)}
        texts = _read_texts(engine, counts).get(session, {})
        blobs = [Blob.of(text) for text in texts.values()]
        store(engine, target, user, [Upload(record.id, blobs)])


def is_whole(engine: Engine, name: str, blob: str, pieces: int) -> bool:
    """Return True if all pieces of a blob can be read; reads them one by one."""
    return all(
        any(
            _piece_text(record) is not None
            for record in engine.read(Query(name, PIECE, ids=[id]))[0].records
        )
        for id in _piece_ids(blob, pieces)
    )


def blob_ids(record: Record) -> set[str]:
    """The blobs that an item's record refers to."""
    if parts.MARK not in record.body:
        return set()
    return {reference.id for reference in parts.references_of(item_codec.read_item(record))}


def _write(
    engine: Engine,
    session: str,
    user: str | None,
    uploads: Sequence[Upload],
    version: int,
    existing: Sequence[Reference],
) -> None:
    """Write the pieces that are missing, and the references.

    If it takes several commits, incomplete references come with the first one: they keep others
    from deleting the pieces, and tell of them after a crash.
    """
    complete = {reference.blob for reference in existing if reference.is_complete}
    blobs = {blob.id: blob for upload in uploads for blob in upload.blobs}
    now = engine.now()
    pieces = [
        Record(PIECE, id, item_codec.dumps({"text": text}, "piece"), now)
        for blob in blobs.values()
        if blob.id not in complete
        for id, text in zip(_piece_ids(blob.id, blob.piece_count), blob.pieces(), strict=True)
    ]
    final = _reference_records(engine, user, uploads, now, complete=True)
    if len(list(batches([*pieces, *final]))) > 1:
        pieces = [*_reference_records(engine, user, uploads, now, complete=False), *pieces]
        rounds = [*batches(pieces), *batches(final)]
    else:
        rounds = [[*pieces, *final]]
    name = stream(engine, session)
    for batch in rounds:
        expect = version if batch is rounds[0] else Generation(version)
        version = engine.commit(name, put=batch, ttl=None, expect=expect).version


def _reference_records(
    engine: Engine, user: str | None, uploads: Sequence[Upload], now: float, *, complete: bool
) -> list[Record]:
    reference_records = []
    for upload in uploads:
        for blob in upload.blobs:
            fields = {
                "blob": blob.id,
                "item": upload.item,
                "size": blob.size,
                "pieces": blob.piece_count,
                "complete": complete,
                "write": engine.new_id(now),  # so that it differs from what others read before
                **({} if user is None else {"user": user}),
            }
            id = names.key(f"{blob.id}/{upload.item}")
            reference_records.append(Record(BLOB, id, item_codec.dumps(fields, "blob"), now))
    return reference_records


def _check_quota(
    engine: Engine, session: str, existing: Sequence[Reference], uploads: Sequence[Upload]
) -> None:
    new = {blob.id: blob.size for upload in uploads for blob in upload.blobs}
    if _total(existing, new) <= MAX_SESSION:
        return
    total = _total(live(engine, engine.stream("session", session), existing), new)
    if total > MAX_SESSION:
        raise parts.TooLarge(
            f"session {shown(session)} would have {total:,} bytes of parts over 64 kB, at most "
            f"{MAX_SESSION:,} can be stored; begin another session, remove items, or keep large "
            "files elsewhere and store their URL"
        )


def live(engine: Engine, name: str, existing: Sequence[Reference]) -> list[Reference]:
    """Those references whose item is in the stream of the session, and refers to the blob."""
    ids = list(dict.fromkeys(reference.item for reference in existing))
    queries = [
        Query(name, "item", ids=ids[start : start + _IDS]) for start in range(0, len(ids), _IDS)
    ]
    pages = engine.read(*queries) if queries else []
    item_records = [record for page in pages for record in page.records]
    used = {record.id: blob_ids(record) for record in item_records}
    unreadable = {r.id for r in item_records if not body.is_readable(r, record_shapes.ITEM)}
    return [r for r in existing if r.item in unreadable or r.blob in used.get(r.item, ())]


def _total(existing: Iterable[Reference], new: Mapping[str, int]) -> int:
    return sum({**{reference.blob: reference.size for reference in existing}, **new}.values())


def _piece_ids(blob: str, count: int) -> list[str]:
    return [f"{blob}/{number}" for number in range(count)]


def _read_texts(engine: Engine, counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, str]]:
    """The texts of blobs by session and id, of their first pieces; those not whole are missing."""
    queries = [
        Query(stream(engine, session), PIECE, ids=_piece_ids(id, count))
        for (session, id), count in counts.items()
    ]
    texts: dict[str, dict[str, str]] = {}
    pages = engine.read(*queries) if queries else []
    for ((session, id), count), page in zip(counts.items(), pages, strict=True):
        piece_texts = {record.id: _piece_text(record) for record in page.records}
        pieces = [piece_texts.get(piece) for piece in _piece_ids(id, count)]
        if None not in pieces:
            texts.setdefault(session, {})[id] = "".join(piece or "" for piece in pieces)
    return texts


def _piece_text(record: Record) -> str | None:
    try:
        text = json.loads(record.body)["text"]
    except (ValueError, LookupError, TypeError):
        return None
    return text if isinstance(text, str) else None


def _filled(item: Item, texts: Mapping[str, str]) -> Item:
    if not parts.references_of(item):
        return item
    try:
        return parts.filled(item, texts)
    except (LookupError, ValueError, TypeError):
        body.report("item", item.id, _UNREADABLE)
        return Item(
            id=item.id,
            seq=item.seq,
            type="opaque",
            role="unknown",
            metadata={"unreadable": _UNREADABLE},
            created_at=item.created_at,
        )
