"""Chains of responses: who goes on from whom, across sessions, and never in a circle."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from threadkeep.core import names
from threadkeep.core.engine import Engine
from threadkeep.core.response_codec import (
    ENTRY,
    GAP,
    Entry,
    read_entry,
    read_response,
)
from threadkeep.errors import CorruptRecord, InputError, NotFound
from threadkeep.sessions import response_index
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Listing, Query, SessionInfo
from threadkeep.types.responses import Response


class Link(NamedTuple):
    """A response of a chain: its session, its id, the id it goes on from."""

    door: SessionStream
    id: str
    previous: str | None


def chain(engine: Engine, user: str | None, id: str, depth: int) -> Listing[Response]:
    """As `Responses.chain`."""
    links: list[Link] = []
    met: set[str] = set()
    following: str | None = id
    for link in ancestry(engine, user, id):
        if link.id in met:
            raise CorruptRecord(f"the responses before {id!r} go in a circle, at {link.id!r}")
        if len(links) == depth:
            break
        met.add(link.id)
        links.append(link)
        following = link.previous
    else:
        following = None
    if not links:
        raise NotFound(f"there is no response {id!r}")
    return Listing(_responses(links)[::-1], cursor=following)


def ancestry(engine: Engine, user: str | None, id: str) -> Iterator[Link]:
    """A response and those before it, as far as they are there; one read per session.

    Raises:
        NotOwner: it leads into a session of another user.
    """
    links: dict[str, Link] = {}
    visited: set[str] = set()
    node: str | None = id
    while node is not None:
        if node not in links:
            session = response_index.find(engine, [node])[0].session
            if session is None or session in visited:
                return
            visited.add(session)
            links |= _links(SessionStream(engine, SessionInfo(session, user)))
        if node not in links:
            return
        yield links[node]
        node = links[node].previous


def check(door: SessionStream, behind: SessionStream | None, response: Response) -> None:
    """Refuse a response that would go on from itself, however far around.

    It is looked for only if another response may go on from it already.

    Raises:
        InputError: it would; the chain is named.
    """
    previous = response.previous_response_id
    if previous is None:
        return
    doors = [door] if behind is None or behind.id == door.id else [door, behind]
    if previous == response.id or (
        any(_expected(each, response) for each in doors)
        and _goes_on_from(door, previous, response.id)
    ):
        raise InputError(
            f"response.previous_response_id: {previous!r} goes on from {response.id!r} itself"
        )


def newest(engine: Engine, user: str | None, session: str) -> str | None:
    """The id of the response that was stored last in a session."""
    door = SessionStream(engine, SessionInfo(session, user))
    records = door.look(Query(door.stream, ENTRY, limit=1, newest=True)).pages[0].records
    return read_entry(records[0]).id if records else None


def entry_of(door: SessionStream, id: str) -> Entry | None:
    """What the session's list says of a response, if it holds it."""
    records = door.look(Query(door.stream, ENTRY, ids=[names.key(id)])).pages[0].records
    return read_entry(records[0]) if records else None


def _goes_on_from(door: SessionStream, id: str, from_: str) -> bool:
    met: set[str] = set()
    for link in ancestry(door.engine, door.user, id):
        if link.previous == from_:
            return True
        if link.id in met:  # a circle elsewhere
            return False
        met.add(link.id)
    return False


def _expected(door: SessionStream, response: Response) -> bool:
    """Whether a response of the session may go on from this one already."""
    key = names.key(response.id)
    queries = [Query(door.stream, kind, ids=[key]) for kind in (ENTRY, GAP)]
    entries, gaps = (page.records for page in door.look(*queries).pages)
    same = entries and read_entry(entries[0]).previous == response.previous_response_id
    return bool(gaps or entries) and not same


def _links(door: SessionStream) -> dict[str, Link]:
    records = door.look(Query(door.stream, ENTRY)).pages[0].records
    entries = map(read_entry, records)
    return {entry.id: Link(door, entry.id, entry.previous) for entry in entries}


def _responses(links: list[Link]) -> list[Response]:
    """The responses of a chain in its order; the runs in one session are one read."""
    found: list[Response] = []
    for door, run in groupby(links, key=lambda link: link.door):
        ids = [link.id for link in run]
        found += responses_of(door, ids)
    return found


def responses_of(door: SessionStream, ids: list[str]) -> list[Response]:
    """Responses of a session by their ids, in the order of the ids; what is gone is left out."""
    keys = [names.key(id) for id in ids]
    records = door.look(Query(door.stream, "response", ids=keys)).pages[0].records
    read = {record.id: read_response(record, door.id, door.owner) for record in records}
    return [response for key in keys if (response := read.get(key)) is not None]
