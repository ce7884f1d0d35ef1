"""What is known when a model is about to be asked, in one round trip where the store allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from threadkeep.core import file_codec
from threadkeep.core.engine import Engine
from threadkeep.longterm import summaries
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.longterm.store.user_stream import UserStream
from threadkeep.longterm.stored_summary import SummarySpan
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import File, Page, Query
from threadkeep.types.knowledge import Summary
from threadkeep.types.versions import generation_of


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What long-term memory holds for a user, and what a session adds to it.

    Attributes:
        entries: facts and instructions.
        user: whose they are; `None` = the session's own.
        session: its id; `None` = no session is meant.
        agent: which agent speaks in it.
        summary: of the session.
        span: what that sums up of what is still there; `None` = more than that, or nobody knows.
        files: of the session, as far as they were asked for.
    """

    entries: UnitOfWork
    user: str | None
    session: str | None = None
    agent: str | None = None
    summary: Summary | None = None
    span: SummarySpan | None = None
    files: list[File] = field(default_factory=list)


def of_user(engine: Engine, user: str) -> Knowledge:
    """What is known of a user."""
    return Knowledge(UserStream(engine, user=user).load(), user)


def of_session(
    session_stream: SessionStream, agent: str | None, *, files: bool, summary: bool = True
) -> Knowledge:
    """What is known of the user of a session, or of the session itself if it has none.

    One round trip if its user is known and long-term memory is in the same store, else two.

    Raises:
        NotOwner: the session belongs to another user.
    """
    file_queries = [Query(session_stream.stream_name, "file")] if files else []
    owner_id = session_stream.owner
    is_same_store = session_stream.engine.longterm.backend is session_stream.engine.backend
    user_stream = UserStream(session_stream.engine, user=owner_id, session=session_stream.id)
    knowledge_queries = (
        _queries(user_stream, session_stream) if owner_id is not None and is_same_store else []
    )
    snapshot = session_stream.read(*file_queries, *knowledge_queries)
    user_id = session_stream.user or (owner_id if snapshot.info is None else snapshot.info.user)
    *knowledge_pages, summary_page = snapshot.pages[len(file_queries) :] or [Page(0, [])]
    if not knowledge_pages or user_id != owner_id or snapshot.info is None:
        user_stream = UserStream(session_stream.engine, user=user_id, session=session_stream.id)
        *knowledge_pages, summary_page = user_stream.engine.read(
            *_queries(user_stream, session_stream)
        )
    stored_summary = summaries.parse_page(session_stream.id, summary_page).for_prompts()
    return Knowledge(
        UnitOfWork(knowledge_pages),
        user_id,
        session_stream.id,
        agent or (snapshot.info.agent if snapshot.info else None),
        summaries.visible_summary(session_stream, snapshot, stored_summary) if summary else None,
        stored_summary.span
        if stored_summary.generation == generation_of(snapshot.version)
        else None,
        _files(snapshot, files),
    )


def _queries(user_stream: UserStream, session_stream: SessionStream) -> list[Query]:
    knowledge_queries = [Query(user_stream.name, record_kind) for record_kind in UnitOfWork.KINDS]
    return [*knowledge_queries, summaries.summary_query(session_stream.engine, session_stream.id)]


def _files(snapshot: Snapshot, requested: bool) -> list[File]:
    file_pages: Sequence[Page] = snapshot.pages[:1] if requested else ()
    return [
        file
        for page in file_pages
        for record in page.records
        if (file := file_codec.read_file(record))
    ]
