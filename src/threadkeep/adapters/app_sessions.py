"""Sessions of frameworks that name an app, a user and a session: read together, and listed.

Beside the sessions of an app stand small ones without items that hold state in their metadata.
They have an agent, so that lists hide them as they hide those of sub-agents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from threadkeep.adapters.identity import UserId
from threadkeep.api.memory import Memory
from threadkeep.api.session import Session
from threadkeep.core import json_text, names, session_codec
from threadkeep.core.body import UnreadableRecord
from threadkeep.errors import NotOwner
from threadkeep.printable import shown
from threadkeep.sessions import conditional_append, user_index
from threadkeep.sessions.conditional_append import Addition, Tail
from threadkeep.sessions.read import items_of_page, items_query, whole_items
from threadkeep.types import Item, Page, Query, SessionInfo
from threadkeep.types.versions import generation_of

_PAGE: Final = 500


class Snapshot(NamedTuple):
    """A session, and the metadata of others, read at once.

    Attributes:
        info: of the session; `None` = it does not exist.
        generation: of its stream; a session that begins anew has another one.
        items: those asked for, hidden ones too, oldest first.
        beside: the metadata of the others; empty for those that do not exist.
    """

    info: SessionInfo | None
    generation: int
    items: list[Item]
    beside: list[dict[str, Any]]


class Head(NamedTuple):
    """A session in a list, with its newest item, also if that is hidden."""

    info: SessionInfo
    newest: Item | None


def open_session(
    memory: Memory, id: str, user: UserId | None = None, agent: str | None = None
) -> Session:
    """A session of the app's own; without a user also where every application names one."""
    return Session(memory._engine, id, user=user, agent=agent)


def load(
    chat: Session,
    beside: Sequence[Session] = (),
    *,
    last: int | None = None,
    before: int | None = None,
    after: int | None = None,
) -> Snapshot:
    """Read a session and the metadata of others, in one round trip unless items are large.

    Args:
        chat: the session.
        beside: others; one that has another owner has no metadata.
        last: only the newest so many items.
        before: only those before this seq.
        after: only those behind this seq.

    Raises:
        NotOwner: the session belongs to another user.
    """
    session_stream = chat._stream
    is_newest = last is not None
    query = items_query(session_stream, limit=last, newest=is_newest, before=before, after=after)
    snapshot = session_stream.read(query, *map(_session_query, beside))
    page, *session_pages = snapshot.pages
    items_read = whole_items(session_stream, items_of_page(page))
    metadata_dicts = [
        _metadata(page, chat) for page, chat in zip(session_pages, beside, strict=True)
    ]
    return Snapshot(snapshot.info, generation_of(snapshot.version), items_read, metadata_dicts)


def metadata_of(memory: Memory, sessions: Sequence[Session]) -> list[dict[str, Any]]:
    """The metadata of sessions, in one round trip; of one that has another owner, none."""
    session_pages = memory._engine.read(*map(_session_query, sessions))
    return [_metadata(page, chat) for page, chat in zip(session_pages, sessions, strict=True)]


def merge_metadata(chat: Session, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
    """Change the metadata of a session that has no items; it begins if it does not exist.

    Args:
        chat: the session.
        change: gets a copy of the metadata and returns the new one; may be called again.

    Raises:
        InputError: the new metadata is not JSON.
        NotOwner: the session has another owner, or one although this session has none.
    """

    def decide(tail: Tail) -> Addition:
        if tail.info is not None and tail.info.user != chat.user:
            raise NotOwner(f"session {shown(chat.id)} belongs to another user")
        stored_metadata = {} if tail.info is None else json_text.copy_json(tail.info.metadata)
        return Addition((), change(stored_metadata))

    conditional_append.add_if(chat._stream, (), decide)


def heads(memory: Memory, user: str | None, prefix: str) -> Iterator[Head]:
    """The sessions whose ids begin with a prefix, in no particular order; sub-agents' are left out.

    Args:
        memory: the store.
        user: only this user's sessions; `None` = everybody's.
        prefix: of the ids.
    """
    streams = _all_streams(memory, prefix) if user is None else _user_streams(memory, user, prefix)
    for stream_names in streams:
        queries = [
            query
            for stream_name in dict.fromkeys(stream_names)
            for query in (
                Query(stream_name, "session", ids=["session"]),
                Query(stream_name, "item", limit=1, newest=True),
            )
        ]
        session_pages = memory._engine.read(*queries) if queries else []
        for session_page, newest_page in zip(session_pages[::2], session_pages[1::2], strict=True):
            info = _info(session_page)
            if info is None or not info.id.startswith(prefix) or user_index.is_sub_agent(info):
                continue
            if user is None or info.user == user:
                yield Head(info, next(iter(items_of_page(newest_page)), None))


def _user_streams(memory: Memory, user: str, prefix: str) -> Iterator[list[str]]:
    engine, before_seq = memory._engine, None
    while True:
        query = Query(
            engine.stream("sessions", user), "session", limit=_PAGE, newest=True, before=before_seq
        )
        records = engine.read(query)[0].records
        session_ids = [user_index.session_id_of(record) for record in records]
        yield [engine.stream("session", id) for id in session_ids if id.startswith(prefix)]
        if len(records) < _PAGE:
            return
        before_seq = records[0].seq


def _all_streams(memory: Memory, prefix: str) -> Iterator[list[str]]:
    engine = memory._engine
    base = names.noun_prefix(engine.settings.namespace, "session")
    for suffix in (quote(prefix, safe="", errors="surrogatepass"), "="):  # names that are too long
        cursor = None
        while True:
            stream_names, cursor = engine.streams(base + suffix, cursor=cursor, limit=_PAGE)
            yield stream_names
            if cursor is None:
                break


def _info(page: Page) -> SessionInfo | None:
    """The session of a record; `None` if there is none, or it cannot be read."""
    if not page.records:
        return None
    try:
        return session_codec.read_session(page.records[0], page.records[0].at)
    except UnreadableRecord:
        return None


def _metadata(page: Page, chat: Session) -> dict[str, Any]:
    session_info = _info(page)
    is_own = session_info is not None and session_info.user == chat.user
    return json_text.copy_json(session_info.metadata) if session_info is not None and is_own else {}


def _session_query(chat: Session) -> Query:
    return Query(chat._stream.stream_name, "session", ids=["session"])
