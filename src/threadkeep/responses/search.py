"""Find records of one kind across sessions, newest first, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeVar

from threadkeep.core import cursor as cursors
from threadkeep.core import names
from threadkeep.core.engine import Engine
from threadkeep.errors import InputError
from threadkeep.printable import shown
from threadkeep.sessions import scan
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Query, Record, SessionInfo

T = TypeVar("T")

MAX_LOOKED_AT: Final = 1_000
"""Records and sessions that one page looks at, however few of them match."""

_PAGE: Final = 200


class Scope(NamedTuple):
    """The records to search: those of a user, of a session, or all."""

    user: str | None = None
    conversation: str | None = None


class RecordHit(NamedTuple):
    """A record, its session, and the cursor that continues after it."""

    record: Record
    stream: SessionStream
    cursor: list[Any]


def find_records(engine: Engine, scope: Scope, kind: str, cursor: object) -> Iterator[RecordHit]:
    """Find records, session by session.

    Raises:
        NotOwner: the session of the scope belongs to another user.
        InputError: the cursor does not belong to this listing.
    """
    return (hit for hit, _ in find_places(engine, scope, kind, cursor) if hit is not None)


def find_places(
    engine: Engine, scope: Scope, kind: str, cursor: object
) -> Iterator[tuple[RecordHit | None, list[Any]]]:
    """As `find_records`, each with its cursor, and a `None` behind the last of each session.

    So who looks for few among many can stop anywhere, also among sessions that have none.
    """
    walk_start, start_session, before_seq = _parse_cursor(cursor, scope)
    for session_position, session_info in sessions_in(engine, scope, walk_start):
        session_stream = SessionStream(engine, SessionInfo(session_info.id, scope.user))
        start_seq = before_seq if session_info.id == start_session else None
        for record in _newest_records(session_stream, kind, start_seq):
            hit_cursor = [session_position, session_info.id, record.seq]
            yield RecordHit(record, session_stream, hit_cursor), hit_cursor
        yield None, [session_position, session_info.id, 0]


def take_page(pairs: Iterator[tuple[T | None, Any]], limit: int) -> tuple[list[T], Any]:
    """A page of the values that are not `None`, and the cursor that leads on if there may be more.

    At most `MAX_LOOKED_AT` pairs are looked at, so a page may be short and still have a cursor.
    """
    page_values: list[T] = []
    next_cursor: Any = None
    for pair_number, (value, cursor) in enumerate(pairs):
        if pair_number == MAX_LOOKED_AT or (value is not None and len(page_values) == limit):
            return page_values, next_cursor
        if value is not None:
            page_values.append(value)
        next_cursor = cursor
    return page_values, None


def check_limit(limit: object, maximum: int = 1_000) -> int:
    """Return the limit.

    Raises:
        InputError: it is not a whole number from 1 to `maximum`.
    """
    if type(limit) is not int or not 1 <= limit <= maximum:
        raise InputError(f"limit must be a whole number from 1 to {maximum:,}, got {shown(limit)}")
    return limit


def sum_by_key(
    pairs: Iterator[tuple[str, T]], add: Callable[[T, T], T], *, newest_first: bool = False
) -> dict[str, T]:
    """Add up the values of each key, sorted by key."""
    sums_by_key: dict[str, T] = {}
    for key, value in pairs:
        sums_by_key[key] = add(sums_by_key[key], value) if key in sums_by_key else value
    return dict(sorted(sums_by_key.items(), reverse=newest_first))


def sessions_in(engine: Engine, scope: Scope, walk_start: Any) -> Iterator[tuple[Any, SessionInfo]]:
    """The sessions of a scope, each with the position from which a walk resumes at it."""
    if scope.conversation is None:
        return scan.sessions(engine, scope.user, walk_start)
    session_id = names.check(scope.conversation, "conversation")
    return iter([(None, SessionInfo(session_id, scope.user))])


def _newest_records(stream: SessionStream, kind: str, before_seq: int | None) -> Iterator[Record]:
    while True:
        query = Query(stream.stream_name, kind, limit=_PAGE, newest=True, before=before_seq)
        records = stream.read(query).pages[0].records
        yield from reversed(records)
        if len(records) < _PAGE:
            return
        before_seq = records[0].seq


def _parse_cursor(cursor: object, scope: Scope) -> tuple[Any, str | None, int | None]:
    """Parse a cursor into a scan position, a session id and the seq to continue before."""
    if cursor is None:
        return None, None, None
    walk_start, session_id, before_seq = cursors.parts(cursor, 3)
    is_walk = scope.conversation is None  # a cursor within one conversation has no scan position
    if (walk_start is not None) != is_walk or (not is_walk and session_id != scope.conversation):
        raise cursors.invalid()
    return walk_start, cursors.text(session_id), cursors.position(before_seq)
