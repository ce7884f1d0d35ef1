"""How far the sessions of a store were read, for whoever looks after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.longterm.extraction.watermark import DEAD, Watermark, resolve
from threadkeep.longterm.store.unit_of_work import WATERMARK
from threadkeep.longterm.store.user_stream import UserStream
from threadkeep.sessions import scan
from threadkeep.types import Query, SessionInfo
from threadkeep.types.versions import generation_of

MAX_SESSIONS: Final = 200
"""Sessions that are looked at."""


@dataclass(slots=True)
class ExtractionStatus:
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


def extraction_status(engine: Engine, limit: int = MAX_SESSIONS) -> ExtractionStatus:
    """How far some sessions were read, in the order of the store."""
    status = ExtractionStatus()
    for _, session_info in islice(scan.sessions(engine, None, None), limit):
        newest_seq, generation = newest_item(engine, session_info)
        watermark = watermark_of(engine, session_info.id, session_info.user, generation)
        status.read += 0 < newest_seq <= watermark.seq
        status.behind += watermark.seq < newest_seq
        status.dead += watermark.state == DEAD
        if watermark.error and watermark.error not in status.errors:
            status.errors.append(watermark.error)
    return status


def newest_item(engine: Engine, info: SessionInfo) -> tuple[int, int]:
    """The seq of the newest item of a session (0 = it has none), and which life it is in."""
    session_stream_name = engine.stream("session", info.id)
    item_page = engine.read(Query(session_stream_name, "item", limit=1, newest=True))[0]
    return (item_page.records[0].seq if item_page.records else 0), generation_of(item_page.version)


def watermark_of(engine: Engine, session: str, user: str | None, generation: int) -> Watermark:
    """How far this life of a session was read."""
    user_stream = UserStream(engine, user=user, session=session)
    session_stream_name = engine.stream("session", session)
    watermark_page = user_stream.engine.read(
        Query(user_stream.name, WATERMARK, ids=[session_stream_name])
    )[0]
    return resolve(
        engine,
        session_stream_name,
        watermark_page.records[0].body if watermark_page.records else None,
        generation,
    )
