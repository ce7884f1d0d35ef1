"""A session as an adapter's log: items and the adapter's own records, by compare-and-set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from threadkeep.api.session import Session
from threadkeep.core import body, item_codec, json_text, names
from threadkeep.core.body import UnreadableRecord
from threadkeep.sessions import append_beside, remove, rollback
from threadkeep.sessions.append_beside import Change
from threadkeep.sessions.read import whole_items
from threadkeep.sessions.stream import Snapshot
from threadkeep.types import Item, Query, Record
from threadkeep.types.versions import generation_of

__all__ = ["Change", "Query", "Record", "SessionLog", "Snapshot", "fields_of", "key", "life_of"]

ITEM: Final = "item"


class SessionLog:
    """Reads and writes the items of a session together with records of the adapter.

    Args:
        chat: the session, open for its user.

    Attributes:
        stream: the name of its stream.
    """

    def __init__(self, chat: Session) -> None:
        self._stream = chat._stream
        self._engine = chat._engine
        self.stream: str = chat._stream.stream_name

    def read(self, *queries: Query) -> Snapshot:
        """Read records of the session, in one round trip.

        Raises:
            NotOwner: it belongs to another user.
        """
        return rollback.read(self._stream, *queries)

    def query(
        self,
        kind: str = ITEM,
        *,
        ids: Iterable[str] | None = None,
        after: int | None = None,
        upto: int | None = None,
        newest: int | None = None,
    ) -> Query:
        """A query of this session's stream.

        Args:
            kind: of the records.
            ids: of the records, any text.
            after: a seq, exclusive.
            upto: a seq, inclusive.
            newest: how many of the newest ones; `None` = all.
        """
        return Query(
            self.stream,
            kind,
            limit=newest,
            newest=newest is not None,
            after=after,
            before=None if upto is None else upto + 1,
            ids=None if ids is None else [names.key(id) for id in ids],
        )

    def items(self, records: Sequence[Record]) -> list[Item]:
        """The items of records, with their large parts."""
        return whole_items(self._stream, [item_codec.read_item(record) for record in records])

    def record(self, kind: str, id: str, fields: Mapping[str, Any]) -> Record:
        """A record of the adapter.

        Raises:
            InputError: a field is not JSON, or it is too large.
        """
        return Record(kind, names.key(id), json_text.dumps(fields, kind), self._engine.now())

    def commit(self, snapshot: Snapshot, change: Change) -> list[Item]:
        """Carry out a change if nothing happened to the session since the snapshot.

        What exceeds 1,000 records or 4 MB is written in several steps, the records of the adapter
        with the last one. If one fails, all of it is taken back.

        Raises:
            Conflict: something changed since.
            InputError: an item cannot be stored; nothing was written.
        """
        return append_beside.commit(self._stream, snapshot, change)

    def delete(self, snapshot: Snapshot) -> None:
        """Delete the session if nothing happened to it since the snapshot.

        Raises:
            Conflict: something changed since.
        """
        remove.delete(self._stream, version=snapshot.version)

    def now(self) -> float:
        """The clock's time in epoch seconds."""
        return self._engine.now()


def key(text: str) -> str:
    """The record id of any text."""
    return names.key(text)


def life_of(snapshot: Snapshot) -> int:
    """The life of the session at a snapshot: one that begins anew, or is copied, has another."""
    return generation_of(snapshot.version)


def fields_of(record: Record) -> dict[str, Any] | None:
    """The fields of an adapter's record; `None` if it cannot be read."""
    try:
        return body.parse(record.body, record.kind)
    except UnreadableRecord:
        return None
