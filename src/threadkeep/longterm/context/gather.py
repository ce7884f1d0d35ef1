"""What is known when a model is about to be asked, in one round trip where the store allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from threadkeep.core import item_codec
from threadkeep.core.engine import Engine
from threadkeep.longterm import summaries
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.longterm.store.user_stream import UserStream
from threadkeep.longterm.summaries import Span
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import File, Page, Query
from threadkeep.types.knowledge import Summary
from threadkeep.types.versions import generation_of


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What long-term memory holds for a user, and what a session adds to it.

    Attributes:
        held: facts and instructions.
        user: whose they are; `None` = the session's own.
        session: its id; `None` = no session is meant.
        agent: which agent speaks in it.
        summary: of the session.
        span: what that sums up of what is still there; `None` = more than that, or nobody knows.
        files: of the session, as far as they were asked for.
    """

    held: UnitOfWork
    user: str | None
    session: str | None = None
    agent: str | None = None
    summary: Summary | None = None
    span: Span | None = None
    files: list[File] = field(default_factory=list)


def of_user(engine: Engine, user: str) -> Knowledge:
    """What is known of a user."""
    return Knowledge(UserStream(engine, user=user).look(), user)


def of_session(door: SessionStream, agent: str | None, *, files: bool) -> Knowledge:
    """What is known of the user of a session, or of the session itself if it has none.

    One round trip if its user is known and long-term memory is in the same store, else two.

    Raises:
        NotOwner: the session belongs to another user.
    """
    own = [Query(door.stream, "file")] if files else []
    owner, together = door.owner, door.engine.longterm.backend is door.engine.backend
    home = UserStream(door.engine, user=owner, session=door.id)
    asked = _queries(home, door) if owner is not None and together else []
    seen = door.look(*own, *asked)
    whose = door.user or (owner if seen.info is None else seen.info.user)
    *pages, summed = seen.pages[len(own) :] or [Page(0, [])]
    if not pages or whose != owner or seen.info is None:
        home = UserStream(door.engine, user=whose, session=door.id)
        *pages, summed = home.engine.read(*_queries(home, door))
    kept = summaries.read(door.id, summed)
    return Knowledge(
        UnitOfWork(pages),
        whose,
        door.id,
        agent or (seen.info.agent if seen.info else None),
        summaries.told(door, seen, kept),
        kept.span if kept.life == generation_of(seen.version) else None,
        _files(seen, files),
    )


def _queries(home: UserStream, door: SessionStream) -> list[Query]:
    own = [Query(home.stream, kind) for kind in UnitOfWork.KINDS]
    return [*own, summaries.query(door.engine, door.id)]


def _files(seen: Snapshot, wanted: bool) -> list[File]:
    pages: Sequence[Page] = seen.pages[:1] if wanted else ()
    return [file for page in pages for r in page.records if (file := item_codec.read_file(r))]
