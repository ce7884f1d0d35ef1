"""Chains of responses by `previous_response_id`, across sessions and without cycles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby
from typing import NamedTuple

from threadkeep.core import names
from threadkeep.core.engine import Engine
from threadkeep.core.response_codec import (
    ENTRY,
    GAP,
    ResponseEntry,
    read_entry,
    read_response,
)
from threadkeep.errors import CorruptRecord, InputError, NotFound, NotOwner
from threadkeep.printable import shown
from threadkeep.sessions import response_index
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Listing, Query, SessionInfo
from threadkeep.types.responses import Response


class ChainLink(NamedTuple):
    """A response of a chain: its session, its id and the id of the previous response."""

    stream: SessionStream
    id: str
    previous: str | None


def chain(engine: Engine, user: str | None, id: str, depth: int) -> Listing[Response]:
    """Implements `Responses.chain`."""
    links: list[ChainLink] = []
    visited_ids: set[str] = set()
    next_id: str | None = id
    for link in ancestry(engine, user, id):
        if link.id in visited_ids:
            raise CorruptRecord(
                f"the responses before {shown(id)} form a cycle at {shown(link.id)}"
            )
        if len(links) == depth:
            break
        visited_ids.add(link.id)
        links.append(link)
        next_id = link.previous
    else:
        next_id = None
    if not links and not engine.discards:
        raise NotFound(f"there is no response {shown(id)}")
    return Listing(_read_links(links)[::-1], cursor=next_id)


def ancestry(engine: Engine, user: str | None, id: str) -> Iterator[ChainLink]:
    """A response and its stored predecessors, newest first; one read per session.

    Raises:
        NotOwner: the chain leads into a session of another user.
    """
    links_by_id: dict[str, ChainLink] = {}
    visited_session_ids: set[str] = set()
    response_id: str | None = id
    while response_id is not None:
        if response_id not in links_by_id:
            session_id = response_index.find_pointers(engine, [response_id])[0].session
            if session_id is None or session_id in visited_session_ids:
                return
            visited_session_ids.add(session_id)
            links_by_id |= _links(SessionStream(engine, SessionInfo(session_id, user)))
        if response_id not in links_by_id:
            return
        yield links_by_id[response_id]
        response_id = links_by_id[response_id].previous


def check_acyclic(
    stream: SessionStream, previous_stream: SessionStream | None, response: Response
) -> None:
    """Refuse a response that would continue from itself, directly or by way of others.

    The chain is read only if another response may already continue from this one, in these
    sessions or those that the chain leads to.

    Raises:
        InputError: it would create a cycle.
    """
    previous_id = response.previous_response_id
    if previous_id is None:
        return
    if previous_id == response.id or (
        _may_be_continued(stream, previous_stream, response)
        and _continues_from(stream, previous_id, response.id)
    ):
        raise InputError(
            f"response.previous_response_id: {shown(previous_id)} goes on from "
            f"{shown(response.id)} itself"
        )


def newest_id(engine: Engine, user: str | None, session: str) -> str | None:
    """The id of the response stored last in a session."""
    stream = SessionStream(engine, SessionInfo(session, user))
    records = stream.read(Query(stream.stream_name, ENTRY, limit=1, newest=True)).pages[0].records
    return read_entry(records[0]).id if records else None


def find_entry(stream: SessionStream, id: str) -> ResponseEntry | None:
    """The entry of a response in the session's list, or `None`."""
    records = stream.read(Query(stream.stream_name, ENTRY, ids=[names.key(id)])).pages[0].records
    return read_entry(records[0]) if records else None


def _continues_from(stream: SessionStream, id: str, origin: str) -> bool:
    visited_ids: set[str] = set()
    with suppress(NotOwner):  # there it ends for this user, who else could store nothing more
        for link in ancestry(stream.engine, stream.user, id):
            if link.previous == origin:
                return True
            if link.id in visited_ids:  # a cycle elsewhere
                return False
            visited_ids.add(link.id)
    return False


def _may_be_continued(
    stream: SessionStream, previous_stream: SessionStream | None, response: Response
) -> bool:
    """Return True if a response that a chain can reach may already continue from this one.

    One read for each session that the chain may lead to, which is mostly the one.
    """
    pending_streams = [stream] if previous_stream is None else [previous_stream, stream]
    visited_ids: set[str] = set()
    while pending_streams:
        visited_stream = pending_streams.pop()
        if visited_stream.id in visited_ids:
            continue
        visited_ids.add(visited_stream.id)
        with suppress(NotOwner):  # there the chain ends for this user
            links = _outward_links(visited_stream, response)
            if links is None:
                return True
            pending_streams += links
    return False


def _outward_links(stream: SessionStream, response: Response) -> list[SessionStream] | None:
    """The sessions that responses of this one may continue from.

    `None`: one of its responses may continue from this response.
    """
    record_key = names.key(response.id)
    queries = [Query(stream.stream_name, ENTRY, ids=[record_key]), Query(stream.stream_name, GAP)]
    entries, gaps = (page.records for page in stream.read(*queries).pages)
    is_continuation = entries and read_entry(entries[0]).previous == response.previous_response_id
    gap_ids = [gap.id for gap in gaps]
    if (entries or record_key in gap_ids) and not is_continuation:
        return None
    if any(gap_id != names.key(gap_id) for gap_id in gap_ids):  # a hash names no response
        return None
    pointers = response_index.find_pointers(stream.engine, gap_ids)
    session_ids = {pointer.session for pointer in pointers if pointer.session is not None}
    return [SessionStream(stream.engine, SessionInfo(id, stream.user)) for id in session_ids]


def _links(stream: SessionStream) -> dict[str, ChainLink]:
    records = stream.read(Query(stream.stream_name, ENTRY)).pages[0].records
    entries = map(read_entry, records)
    return {entry.id: ChainLink(stream, entry.id, entry.previous) for entry in entries}


def _read_links(links: list[ChainLink]) -> list[Response]:
    """Read the responses of a chain in order; adjacent ones of one session in one read."""
    responses: list[Response] = []
    for session_stream, adjacent_links in groupby(links, key=lambda link: link.stream):
        response_ids = [link.id for link in adjacent_links]
        responses += read_responses(session_stream, response_ids)
    return responses


def read_responses(stream: SessionStream, ids: list[str]) -> list[Response]:
    """Read responses of a session in the order of the ids; missing ones are left out."""
    keys = [names.key(id) for id in ids]
    response_records = stream.read(Query(stream.stream_name, "response", ids=keys)).pages[0].records
    responses_by_key = {
        record.id: read_response(record, stream.id, stream.owner) for record in response_records
    }
    return [response for key in keys if (response := responses_by_key.get(key)) is not None]
