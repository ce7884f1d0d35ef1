"""How a session goes: its stream first, what belongs to it next, its place in a list last.

So a session is there and listed, or neither. What is cut short leaves an entry without a session,
which listings pass over and a repeated call takes away. Nothing here needs to read the session.
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from threadkeep.core import item_codec
from threadkeep.core.response_codec import ENTRY
from threadkeep.errors import Conflict, CorruptRecord
from threadkeep.sessions import derived, response_index, user_index
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import KEEP, Drop, Page, Query


class Remains(NamedTuple):
    """What is to go.

    Attributes:
        version: of the stream (0 = there is none).
        user: on whose list it is.
        ended: whether there is no session any more.
        responses: the ids of its responses, as far as they can be read.
    """

    version: int
    user: str | None
    ended: bool
    responses: list[str]


def delete(door: SessionStream) -> None:
    """Remove the session, and take it off its owner's list unless it begins anew.

    Raises:
        Conflict: it changed meanwhile.
        CorruptRecord: it cannot be read, and nothing says that it is this user's.
        NotOwner: it is another user's.
    """
    remains = look(door)
    if remains.user is None:
        end(door, remains)
        return
    entry = user_index.entry(door.engine, remains.user, door.id)
    if entry.seq and not remains.version and not door.is_at(0):
        raise Conflict(f"session {door.id!r} begins anew")  # with the entry that was just read
    end(door, remains)
    if entry.seq:
        user_index.leave(door.engine, remains.user, door.id, entry)
        _stay_if_begun(door, remains.user)


def look(door: SessionStream) -> Remains:
    """What there is of the session, for who may remove it.

    Raises:
        CorruptRecord: it cannot be read, and nothing says that it is this user's.
        NotOwner: it is another user's.
    """
    entries = Query(door.stream, ENTRY)
    try:
        seen = door.look(entries)
    except CorruptRecord:
        owner = _named_owner(door)
        theirs = owner == door.user if owner is not None else _is_listed(door)
        if door.user is not None and not theirs:
            raise
        return _unread(door, owner or door.user)
    user = door.user if seen.info is None else seen.info.user
    return Remains(seen.version, user, seen.info is None, response_index.named(seen.pages[0]))


def end(door: SessionStream, remains: Remains) -> None:
    """Drop the stream at its version, and what belongs to it.

    Raises:
        Conflict: it changed since.
    """
    engine = door.engine
    pointed = response_index.of_session(engine, door.id, remains.responses)
    derived.forget(engine, door.id, user=door.user, ended=remains.ended)
    if remains.version:
        engine.commit(door.stream, drop=[Drop()], ttl=KEEP, expect=remains.version)
        if not remains.ended:  # what was summed up in between
            derived.forget(engine, door.id, user=door.user, ended=False)
    response_index.forget(engine, pointed)


def _unread(door: SessionStream, user: str | None) -> Remains:
    """A session whose record cannot be read."""
    try:
        pulse, page = door.engine.read(door.pulse, Query(door.stream, ENTRY))
    except CorruptRecord:  # from a store that gives out nothing that it cannot open
        pulse, page = door.engine.read(door.pulse)[0], Page(0, [])
    return Remains(pulse.version, user, ended=False, responses=response_index.named(page))


def _named_owner(door: SessionStream) -> str | None:
    """Whom a record that cannot be read as a whole still names as its owner."""
    with suppress(CorruptRecord):
        own = door.engine.read(Query(door.stream, "session", ids=["session"]))[0]
        return item_codec.owner(own.records[0]) if own.records else None
    return None


def _is_listed(door: SessionStream) -> bool:
    return door.user is not None and user_index.entry(door.engine, door.user, door.id).seq > 0


def _stay_if_begun(door: SessionStream, user: str) -> None:
    """List the session if it began anew while it was taken off the list."""
    if _named_owner(door) == user:
        user_index.stay(door.engine, user, door.id)
