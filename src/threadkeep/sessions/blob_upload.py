"""Writes the large parts of items, before the items that refer to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from threadkeep.core import json_text, names, parts
from threadkeep.core.engine import Engine
from threadkeep.core.parts import Blob
from threadkeep.errors import BackendError, Conflict
from threadkeep.printable import shown
from threadkeep.sessions import blobs
from threadkeep.sessions.blobs import BLOB, PIECE, Reference
from threadkeep.types import Record
from threadkeep.types.batching import batches
from threadkeep.types.versions import Generation

MAX_SESSION: Final = 1_000_000_000
"""Bytes of all large parts of a session."""

_TRIES: Final = 64


class Upload(NamedTuple):
    """Large parts to be stored for an item, by its record id."""

    item: str
    blobs: list[Blob]


def store(engine: Engine, session: str, user: str | None, uploads: Sequence[Upload]) -> None:
    """Write the large parts of items that will be written next.

    Raises:
        TooLarge: the session would have more than 1 GB of them; nothing was written.
    """
    uploads = [upload for upload in uploads if upload.blobs]
    if not uploads or engine.discards:
        return
    for _ in range(_TRIES):
        blob_page = engine.read(blobs.query(engine, session))[0]
        existing_references = blobs.references(blob_page)
        _check_quota(engine, session, existing_references, uploads)
        with suppress(Conflict):
            _write(engine, session, user, uploads, blob_page.version, existing_references)
            return
    raise BackendError(f"session {shown(session)} was changed by others all the time; try again")


def _write(
    engine: Engine,
    session: str,
    user: str | None,
    uploads: Sequence[Upload],
    version: int,
    references: Sequence[Reference],
) -> None:
    """Write the pieces that are missing, and the references.

    If it takes several commits, incomplete references come with the first one: they keep others
    from deleting the pieces, and tell of them after a crash.
    """
    complete_blob_ids = {reference.blob for reference in references if reference.is_complete}
    blob_by_id = {blob.id: blob for upload in uploads for blob in upload.blobs}
    now = engine.now()
    records = [
        Record(PIECE, piece_id, json_text.dumps({"text": piece_text}, "piece"), now)
        for blob in blob_by_id.values()
        if blob.id not in complete_blob_ids
        for piece_id, piece_text in zip(
            blobs.piece_ids(blob.id, blob.piece_count), blob.pieces(), strict=True
        )
    ]
    final_records = _reference_records(engine, user, uploads, now, complete=True)
    if len(list(batches([*records, *final_records]))) > 1:
        records = [*_reference_records(engine, user, uploads, now, complete=False), *records]
        commit_batches = [*batches(records), *batches(final_records)]
    else:
        commit_batches = [[*records, *final_records]]
    stream_name = blobs.stream(engine, session)
    for batch in commit_batches:
        expected_version = version if batch is commit_batches[0] else Generation(version)
        version = engine.commit(stream_name, put=batch, ttl=None, expect=expected_version).version


def _reference_records(
    engine: Engine, user: str | None, uploads: Sequence[Upload], now: float, *, complete: bool
) -> list[Record]:
    records = []
    for upload in uploads:
        for blob in upload.blobs:
            reference_fields = {
                "blob": blob.id,
                "item": upload.item,
                "size": blob.size,
                "pieces": blob.piece_count,
                "complete": complete,
                "write": engine.new_id(now),  # so that it differs from what others read before
                **({} if user is None else {"user": user}),
            }
            record_id = names.key(f"{blob.id}/{upload.item}")
            records.append(Record(BLOB, record_id, json_text.dumps(reference_fields, "blob"), now))
    return records


def _check_quota(
    engine: Engine, session: str, references: Sequence[Reference], uploads: Sequence[Upload]
) -> None:
    size_by_id = {blob.id: blob.size for upload in uploads for blob in upload.blobs}
    if _total(references, size_by_id) <= MAX_SESSION:
        return
    live_references = blobs.live(engine, engine.stream("session", session), references)
    session_size = _total(live_references, size_by_id)
    if session_size > MAX_SESSION:
        raise parts.TooLarge(
            f"session {shown(session)} would have {session_size:,} bytes of parts over 64 kB, "
            f"at most {MAX_SESSION:,} can be stored; begin another session, remove items, or "
            "keep large files elsewhere and store their URL"
        )


def _total(references: Iterable[Reference], new: Mapping[str, int]) -> int:
    return sum({**{reference.blob: reference.size for reference in references}, **new}.values())
