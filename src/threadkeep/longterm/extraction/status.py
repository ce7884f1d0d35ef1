"""How far the sessions of a store were read, for whoever looks after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.longterm.extraction.watermark import DEAD, Watermark, read_mark
from threadkeep.longterm.store.unit_of_work import WATERMARK
from threadkeep.longterm.store.user_stream import UserStream
from threadkeep.sessions import scan
from threadkeep.types import Query, SessionInfo
from threadkeep.types.versions import generation_of

MOST: Final = 200
"""Sessions that are looked at."""


@dataclass(slots=True)
class Status:
    """What was found.

    Attributes:
        read: sessions that were read to their end.
        behind: that have something unread.
        dead: of these, that failed too often.
        errors: why, each once.
    """

    read: int = 0
    behind: int = 0
    dead: int = 0
    errors: list[str] = field(default_factory=list)


def status(engine: Engine, most: int = MOST) -> Status:
    """How far some sessions were read, in the order of the store."""
    found = Status()
    for _, info in islice(scan.sessions(engine, None, None), most):
        newest, life = newest_of(engine, info)
        mark = mark_of(engine, info.id, info.user, life)
        found.read += 0 < newest <= mark.seq
        found.behind += mark.seq < newest
        found.dead += mark.state == DEAD
        if mark.error and mark.error not in found.errors:
            found.errors.append(mark.error)
    return found


def newest_of(engine: Engine, info: SessionInfo) -> tuple[int, int]:
    """The seq of the newest item of a session (0 = it has none), and which life it is in."""
    stream = engine.stream("session", info.id)
    page = engine.read(Query(stream, "item", limit=1, newest=True))[0]
    return (page.records[0].seq if page.records else 0), generation_of(page.version)


def mark_of(engine: Engine, session: str, user: str | None, life: int) -> Watermark:
    """How far this life of a session was read."""
    home = UserStream(engine, user=user, session=session)
    key = engine.stream("session", session)
    page = home.engine.read(Query(home.stream, WATERMARK, ids=[key]))[0]
    return read_mark(page.records[0].body if page.records else None, life)
