"""How a session goes: its stream first, what belongs to it next, its place in a list last.

So a session is there and listed, or neither. What is cut short leaves an entry without a session,
which listings pass over and a repeated call takes away. Nothing here needs to read the session.
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from threadkeep.core import item_codec as codec
from threadkeep.core.response_codec import ENTRY
from threadkeep.errors import Conflict, CorruptRecord
from threadkeep.sessions import derived as companions
from threadkeep.sessions import response_index as pointers
from threadkeep.sessions import user_index as listing
from threadkeep.sessions.stream import Door
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


def delete(door: Door) -> None:
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
    entry = listing.entry(door.engine, remains.user, door.id)
    if entry.seq and not remains.version and not door.is_at(0):
        raise Conflict(f"session {door.id!r} begins anew")  # with the entry that was just read
    end(door, remains)
    if entry.seq:
        listing.leave(door.engine, remains.user, door.id, entry)
        _stay_if_begun(door, remains.user)


def look(door: Door) -> Remains:
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
    return Remains(seen.version, user, seen.info is None, pointers.named(seen.pages[0]))


def end(door: Door, remains: Remains) -> None:
    """Drop the stream at its version, and what belongs to it.

    Raises:
        Conflict: it changed since.
    """
    engine = door.engine
    pointed = pointers.of_session(engine, door.id, remains.responses)
    companions.forget(engine, door.id, user=door.user, ended=remains.ended)
    if remains.version:
        engine.commit(door.stream, drop=[Drop()], ttl=KEEP, expect=remains.version)
        if not remains.ended:  # what was summed up in between
            companions.forget(engine, door.id, user=door.user, ended=False)
    pointers.forget(engine, pointed)


def _unread(door: Door, user: str | None) -> Remains:
    """A session whose record cannot be read."""
    try:
        pulse, page = door.engine.read(door.pulse, Query(door.stream, ENTRY))
    except CorruptRecord:  # from a store that gives out nothing that it cannot open
        pulse, page = door.engine.read(door.pulse)[0], Page(0, [])
    return Remains(pulse.version, user, ended=False, responses=pointers.named(page))


def _named_owner(door: Door) -> str | None:
    """Whom a record that cannot be read as a whole still names as its owner."""
    with suppress(CorruptRecord):
        own = door.engine.read(Query(door.stream, "session", ids=["session"]))[0]
        return codec.owner(own.records[0]) if own.records else None
    return None


def _is_listed(door: Door) -> bool:
    return door.user is not None and listing.entry(door.engine, door.user, door.id).seq > 0


def _stay_if_begun(door: Door, user: str) -> None:
    """List the session if it began anew while it was taken off the list."""
    if _named_owner(door) == user:
        listing.stay(door.engine, user, door.id)
