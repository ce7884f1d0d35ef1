"""Append items to a session together with what else an adapter writes, in one atomic step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from threadkeep.core import item_codec, session_codec
from threadkeep.errors import ThreadkeepError
from threadkeep.sessions import append, outdated, rollback
from threadkeep.sessions.create import create_session
from threadkeep.sessions.rollback import UNDO
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import Drop, Item, Record, SessionInfo
from threadkeep.types.batching import batches


class Change(NamedTuple):
    """What a commit does to a session.

    Attributes:
        items: new items.
        records: the adapter's records, which one commit takes, the last one.
        drop: of the adapter's records and of items, with the last commit.
        hide: records of items that are hidden from now on.
        show: records of items that are shown again.
        info: the new info of the session, with the last commit; `None` = unchanged.
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

    What exceeds 1,000 records or 4 MB is written in several commits, the info and the records of
    the adapter with the last one. Whatever fails before that is taken back: at once, or where the
    store does not even allow this, by the next `rollback.read` of the session.

    Args:
        stream: of the session.
        snapshot: of it, from `rollback.read`.
        change: what to do.
        refer: as of `make_draft`.

    Returns:
        The items as stored.

    Raises:
        Conflict: something changed since; the session is as it was.
        InputError: an item cannot be stored; nothing was written.
        NotOwner: the session belongs to another user; nothing was written.
    """
    draft = append.make_draft(stream.engine, stream.id, change.items, refer=refer)
    if draft.uploads:
        append.upload(stream, draft)
    write = _Write(stream, snapshot, change, draft.records)
    write.drop_derived()  # a failure behind the write is not to leave what was made of the items
    seqs = write.run()
    if write.flipped:
        write.drop_derived()
        outdated.notify_edited(stream, [record.id for record in write.flipped])
    elif not seqs:
        return append.notify_listener(stream, draft, seqs)
    return append.finish(stream, draft, seqs)


class _Write:
    """A change on its way into the store.

    Attributes:
        flipped: the records of items that are hidden or shown from now on.
    """

    def __init__(
        self, stream: SessionStream, snapshot: Snapshot, change: Change, records: Sequence[Record]
    ) -> None:
        self._stream, self._snapshot, self._change, self._new = stream, snapshot, change, records
        now = stream.engine.now()
        hide_pairs, show_pairs = _flipped(change.hide, True, now), _flipped(change.show, False, now)
        self._before = [record for record, _ in hide_pairs], [record for record, _ in show_pairs]
        self.flipped = [record for _, record in (*hide_pairs, *show_pairs)]

    def run(self) -> list[int]:
        """Write it, in several commits if it is large; returns the seqs of its new items."""
        change, new_records = self._change, self._new
        records = [*self.flipped, *new_records, *change.records]
        if self._is_small(records):
            seqs = self._stream.compare_and_set(
                self._snapshot, put=records, drop=change.drop, info=change.info
            )
        elif self._snapshot.info is None:
            seqs = create_session(
                self._stream, change.info or self._stream.claim(self._snapshot), records
            )
        else:
            seqs = self._write_in_steps()
        return seqs[len(self.flipped) :][: len(new_records)]

    def drop_derived(self) -> None:
        """Drop what was made of the items that are flipped."""
        if self.flipped:
            first_seq = min(record.seq for record in self.flipped)
            outdated.drop_derived(self._stream, self._snapshot, first_seq)

    def _write_in_steps(self) -> list[int]:
        """Write several commits; what is written is taken back if one fails."""
        stream, snapshot, change = self._stream, self._snapshot, self._change
        notes = rollback.notes(stream, snapshot, self._new, *self._before)
        seqs = list[int]()
        try:
            for record_batch in batches([*notes, *self.flipped, *self._new]):
                seqs += stream.compare_and_set(snapshot, put=record_batch)
                session_info, version = stream.claim(snapshot), snapshot.version + 1
                snapshot = snapshot._replace(info=session_info, version=version)
            drops = [Drop(UNDO, [note.id for note in notes]), *change.drop]
            stream.compare_and_set(snapshot, put=change.records, drop=drops, info=change.info)
        except Exception:
            with suppress(ThreadkeepError):  # then it is done by who reads the session next
                rollback.roll_back(stream, notes)
            raise
        return seqs[len(notes) :]

    def _is_small(self, records: Sequence[Record]) -> bool:
        """Whether one commit takes it, with the record of the session if that is written."""
        stream, snapshot = self._stream, self._snapshot
        info = self._change.info or stream.claim(snapshot)
        is_new = info is not snapshot.info
        info_records = [session_codec.session_record(info, stream.engine.now())] if is_new else []
        return len(list(batches([*info_records, *records]))) <= 1


def _flipped(records: Iterable[Record], hidden: bool, now: float) -> list[tuple[Record, Record]]:
    """The records that change, each with what it becomes."""
    return [
        (record, flipped_record)
        for record in records
        if (flipped_record := item_codec.with_hidden(record, hidden, now)) is not None
    ]
