"""Records of one kind through many sessions, the newest first, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

from threadkeep.core import cursor as cursors
from threadkeep.core import names
from threadkeep.core.engine import Engine
from threadkeep.errors import InputError
from threadkeep.sessions import scan
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Query, Record, SessionInfo

T = TypeVar("T")

_PAGE: Final = 200


class Where(NamedTuple):
    """Which records: of one user, of one session; or all there are."""

    user: str | None = None
    conversation: str | None = None


class Hit(NamedTuple):
    """A record, the session it is in, and the cursor of what comes behind it."""

    record: Record
    door: SessionStream
    cursor: list[Any]


def hits(engine: Engine, where: Where, kind: str, cursor: object) -> Iterator[Hit]:
    """The records, session by session.

    Raises:
        NotOwner: the session that was named belongs to another user.
        InputError: the cursor is none of this listing.
    """
    mark, session, before = _place(cursor, where)
    for at, info in _sessions(engine, where, mark):
        door = SessionStream(engine, SessionInfo(info.id, where.user))
        start = before if info.id == session else None
        for record in _newest(door, kind, start):
            yield Hit(record, door, [at, info.id, record.seq])


def page(found: Iterator[tuple[T, Any]], limit: int) -> tuple[list[T], Any]:
    """The first so many, and the cursor of the last if there is more."""
    taken = list(islice(found, limit))
    more = taken and next(found, None) is not None
    return [value for value, _ in taken], taken[-1][1] if more else None


def limited(limit: object, most: int = 1_000) -> int:
    """The limit, if it is one."""
    if type(limit) is not int or not 1 <= limit <= most:
        raise InputError(f"limit must be a whole number from 1 to {most:,}, got {limit!r}")
    return limit


def folded(
    found: Iterator[tuple[str, T]], add: Callable[[T, T], T], *, newest_first: bool = False
) -> dict[str, T]:
    """Values of one key added up, in the order of the keys."""
    sums: dict[str, T] = {}
    for key, value in found:
        sums[key] = add(sums[key], value) if key in sums else value
    return dict(sorted(sums.items(), reverse=newest_first))


def _sessions(engine: Engine, where: Where, mark: Any) -> Iterator[tuple[Any, SessionInfo]]:
    if where.conversation is None:
        return scan.sessions(engine, where.user, mark)
    id = names.check(where.conversation, "conversation")
    return iter([(None, SessionInfo(id, where.user))])


def _newest(door: SessionStream, kind: str, before: int | None) -> Iterator[Record]:
    while True:
        query = Query(door.stream, kind, limit=_PAGE, newest=True, before=before)
        records = door.look(query).pages[0].records
        yield from reversed(records)
        if len(records) < _PAGE:
            return
        before = records[0].seq


def _place(cursor: object, where: Where) -> tuple[Any, str | None, int | None]:
    """Where the walk goes on, in which session, and before which place in it."""
    if cursor is None:
        return None, None, None
    mark, session, before = cursors.parts(cursor, 3)
    walks = where.conversation is None  # a cursor within one conversation has no mark of a walk
    if (mark is not None) != walks or (not walks and session != where.conversation):
        raise cursors.invalid()
    return mark, cursors.text(session), cursors.place(before)
