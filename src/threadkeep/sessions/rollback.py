"""Takes back a change that needs several commits, where one of them failed.

What takes it back is noted in the session with the first of the commits, and the notes go with the
last one. So a session that has notes holds a part of a change, and whoever finds them can take it
back, whether or not the writer still runs: its next commit meets a conflict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from uuid import uuid4

from threadkeep.core import body, item_codec, json_text, record_shapes
from threadkeep.core.body import UnreadableRecord
from threadkeep.errors import Conflict
from threadkeep.sessions import blob_release, blobs, branch_starts
from threadkeep.sessions.branch_paths import label
from threadkeep.sessions.outdated import drop_derived, notify_edited
from threadkeep.sessions.read import items_query
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import Drop, Json, Query, Record

UNDO: Final = "undo"
_MAX_IDS: Final = 500
"""Items of one note: fewer than a commit takes, so that they stay below 4 MB as well."""
_NOTHING: Final[Mapping[str, Json]] = {"remove": [], "show": [], "hide": {}}


def read(stream: SessionStream, *queries: Query) -> Snapshot:
    """As `SessionStream.read`, once no part of a change is left: one round trip if there is none.

    Raises:
        NotOwner: the session belongs to another user.
    """
    while True:
        snapshot = stream.read(*queries, Query(stream.stream_name, UNDO, limit=1))
        *pages, note_page = snapshot.pages
        if not note_page.records:
            return snapshot._replace(pages=pages)
        roll_back(stream)


def notes(
    stream: SessionStream,
    snapshot: Snapshot,
    new: Sequence[Record],
    hide: Sequence[Record],
    show: Sequence[Record],
) -> list[Record]:
    """What takes a change back, to be written before it.

    Args:
        stream: of the session.
        snapshot: before the change.
        new: records of items to be written; what is there already would stay.
        hide: records of items that are shown, and will be hidden.
        show: records of items that are hidden, and will be shown.

    Raises:
        Conflict: the session changed since the snapshot.
    """
    change_id, now = uuid4().hex, stream.engine.now()
    notes: list[dict[str, Json]] = [
        *({"remove": _absent(stream, snapshot, ids)} for ids in _chunks(new)),
        *({"show": ids} for ids in _chunks(hide)),
        *({"hide": _branches(show, ids)} for ids in _chunks(show)),
    ]
    texts = [json_text.checked({**_NOTHING, **note}, record_shapes.UNDO, UNDO) for note in notes]
    return [Record(UNDO, f"{change_id}-{number}", text, now) for number, text in enumerate(texts)]


def roll_back(stream: SessionStream, noted: Iterable[Record] | None = None) -> None:
    """Take back a part of a change; may be repeated, and called by several at once.

    Args:
        stream: of the session.
        noted: the notes of the change; `None` = all that are there.
    """
    noted_ids = None if noted is None else [record.id for record in noted]
    while stream.retry(lambda: _follow_one(stream, noted_ids)):
        pass


def _follow_one(stream: SessionStream, ids: Sequence[str] | None) -> bool:
    """Follow a note and delete it, in one commit; returns whether there was one."""
    note_records = stream.read(Query(stream.stream_name, UNDO, limit=1, ids=ids)).pages[0].records
    if not note_records:
        return False
    note = _read(note_records[0])
    snapshot = stream.read(
        Query(stream.stream_name, UNDO, ids=[note_records[0].id]),
        items_query(stream, ids=[*note["remove"], *note["show"], *note["hide"]]),
        blobs.query(stream.engine, stream.id),
    )
    if not snapshot.pages[0].records:
        raise Conflict("somebody else takes the change back", current=snapshot.version)
    removed_ids = note["remove"]
    stream.compare_and_set(
        snapshot,
        put=list(_as_before(snapshot.pages[1].records, note, stream.engine.now())),
        drop=[Drop(UNDO, [note_records[0].id]), Drop("item", removed_ids)],
        info=branch_starts.after_removal(stream, snapshot, removed_ids),
    )
    if records := snapshot.pages[1].records:
        drop_derived(stream, snapshot, records[0].seq)
        notify_edited(stream, [item_codec.read_item(record).id for record in records])
    blob_ids_by_item = dict.fromkeys(removed_ids, ())
    blob_release.release(stream.engine, stream.id, snapshot.pages[2], blob_ids_by_item)
    return True


def _as_before(records: Iterable[Record], note: Mapping[str, Json], now: float) -> Iterator[Record]:
    """The records that a change hid or showed, as they were before it."""
    for record in records:
        restored_record = None
        if record.id in note["show"]:
            restored_record = item_codec.with_hidden(record, False, now)
        elif isinstance(branch := note["hide"].get(record.id), str):
            restored_record = item_codec.with_branch(record, branch, now)
        elif record.id in note["hide"]:
            restored_record = item_codec.with_hidden(record, True, now)
        if restored_record is not None:
            yield restored_record


def _read(note: Record) -> Mapping[str, Json]:
    """The fields of a note; of one that cannot be read, nothing is known."""
    try:
        return body.decode(note, record_shapes.UNDO)
    except UnreadableRecord:
        return _NOTHING


def _chunks(records: Sequence[Record]) -> Iterator[list[str]]:
    """The ids of records, in parts of one note."""
    record_ids = [record.id for record in records]
    return (record_ids[start : start + _MAX_IDS] for start in range(0, len(record_ids), _MAX_IDS))


def _branches(records: Sequence[Record], ids: Sequence[str]) -> dict[str, Json]:
    """The branch for which each item is hidden; `None` = the application hid it."""
    record_by_id = {record.id: record for record in records}
    return {id: label(item_codec.read_item(record_by_id[id])) for id in ids}


def _absent(stream: SessionStream, snapshot: Snapshot, ids: Sequence[str]) -> list[str]:
    """The ids that no item of the session has."""
    stored_snapshot = stream.read(items_query(stream, ids=ids))
    if stored_snapshot.version != snapshot.version:
        raise Conflict("the session changed meanwhile", current=stored_snapshot.version)
    existing_ids = {record.id for record in stored_snapshot.pages[0].records}
    return [id for id in ids if id not in existing_ids]
