"""Append items to a session together with what else an adapter writes, in one atomic step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from threadkeep.core import item_codec
from threadkeep.errors import Conflict
from threadkeep.sessions import append, edit, outdated
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import Drop, Item, Query, Record, SessionInfo
from threadkeep.types.batching import batches


class Change(NamedTuple):
    """What a commit does to a session.

    Attributes:
        items: new items.
        records: the adapter's records, written last.
        drop: of the adapter's records and of items.
        hide: records of items that are hidden from now on.
        show: records of items that are shown again.
        info: the new info of the session; `None` = unchanged.
    """

    items: Sequence[Item] = ()
    records: Sequence[Record] = ()
    drop: Sequence[Drop] = ()
    hide: Sequence[Record] = ()
    show: Sequence[Record] = ()
    info: SessionInfo | None = None


def commit(
    stream: SessionStream,
    snapshot: Snapshot,
    change: Change,
    refer: Callable[[Item], Item] | None = None,
) -> list[Item]:
    """Carry out a change if nothing happened to the session since the snapshot.

    What exceeds 1,000 records or 4 MB is written in several steps, each atomic: the info with the
    first one, and the records of the adapter with the last one.

    Args:
        stream: of the session.
        snapshot: of it.
        change: what to do.
        refer: as of `make_draft`.

    Returns:
        The items as stored.

    Raises:
        Conflict: something changed since; no new item is there, and the adapter's records are as
            they were.
        InputError: an item cannot be stored; nothing was written.
        NotOwner: the session belongs to another user; nothing was written.
    """
    draft = append.make_draft(stream.engine, stream.id, change.items, refer=refer)
    if draft.uploads:
        append.upload(stream, draft)
    now = stream.engine.now()
    flipped = [*_flipped(change.hide, True, now), *_flipped(change.show, False, now)]
    seqs = _write(stream, snapshot, change, [*flipped, *draft.records, *change.records])
    if flipped:
        outdated.drop_derived(stream, snapshot, min(record.seq for record in flipped))
        outdated.notify_edited(stream, [record.id for record in flipped])
    first = len(flipped)
    item_seqs = seqs[first : first + len(draft.records)]
    if not (item_seqs or flipped):
        return append.notify_listener(stream, draft, item_seqs)
    return append.finish(stream, draft, item_seqs)


def _write(
    stream: SessionStream, snapshot: Snapshot, change: Change, records: Sequence[Record]
) -> list[int]:
    """Write records, in several steps if they are many; returns their seqs.

    Raises:
        Conflict: something changed since the snapshot; what was written is taken back.
    """
    first, *rest = list(batches(records)) or [[]]
    seqs = stream.compare_and_set(snapshot, put=first, drop=change.drop, info=change.info)
    last = first
    try:
        for batch in rest:
            seqs += stream.compare_and_set(_next_snapshot(stream, last[-1]), put=batch)
            last = batch
    except Conflict:
        new = [r.id for r in records[: len(seqs)] if r.kind == "item" and not r.seq]
        edit.remove(stream, *new)
        raise
    return seqs


def _flipped(records: Iterable[Record], hidden: bool, now: float) -> Collection[Record]:
    changed = (item_codec.with_hidden(record, hidden, now) for record in records)
    return [record for record in changed if record is not None]


def _next_snapshot(stream: SessionStream, last: Record) -> Snapshot:
    """A snapshot in which nobody wrote an item behind the one written last.

    Raises:
        Conflict: somebody did.
    """
    snapshot = stream.read(Query(stream.stream_name, last.kind, limit=1, newest=True))
    newest = snapshot.pages[0].records
    if not newest or (not last.seq and newest[0].id != last.id):
        raise Conflict("the session changed meanwhile", current=snapshot.version)
    return snapshot
