"""The summary of a session: a stream of its own, which lives on when the history has expired.

It lives `summary_ttl` seconds after it was last asked for, carries its owner, and is replaced by
compare-and-set only. What prompts show of it is renewed less often than it is written, so that a
provider's cache of the prompt stays of use.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from threadkeep.core import body, json_text
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.core.redaction import redacted
from threadkeep.errors import Conflict, NotOwner
from threadkeep.longterm.stored_summary import (
    PromptSummary,
    StoredSummary,
    SummarySpan,
    read_summary,
    summary_fields,
)
from threadkeep.longterm.transcript import spoken_text
from threadkeep.sessions.derived import SUMMARY, stream
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import KEEP, Drop, Item, Page, Query, Record
from threadkeep.types.knowledge import Summary
from threadkeep.types.versions import generation_of

_MIN_TTL_SHARE: Final = 0.05  # of a life passes at least between two slides
_RENEWED_AFTER: Final = 6  # turns that a summary must be behind before prompts show a newer one
_TOUCH_KEY: Final = "\0summary"  # no user's name, among what the engine remembers


def of_session(session_stream: SessionStream) -> Summary | None:
    """As `Session.summary`."""
    snapshot = session_stream.read()
    return visible_summary(session_stream, snapshot, load(session_stream.engine, session_stream.id))


def peek(session_stream: SessionStream) -> Summary | None:
    """As `of_session`, for an onlooker: nothing is written, so that it does not live longer.

    Raises:
        NotOwner: the session belongs, or belonged, to another user.
    """
    stored_summary = load(session_stream.engine, session_stream.id)
    is_of_session = belongs_to(stored_summary, session_stream.read(), session_stream.user)
    return stored_summary.summary if is_of_session else None


def visible_summary(
    session_stream: SessionStream, snapshot: Snapshot, stored: StoredSummary
) -> Summary | None:
    """What may be told of it behind this door; it lives on, since somebody asked.

    Raises:
        NotOwner: the session has ended, and was another user's.
    """
    if stored.summary is None or not belongs_to(stored, snapshot, session_stream.user):
        return None
    extend_ttl(session_stream.engine, stored.summary)
    return stored.summary


def load(engine: Engine, session: str) -> StoredSummary:
    """What is stored, for whoever it is."""
    return parse_page(session, engine.longterm.read(summary_query(engine, session))[0])


def summary_query(engine: Engine, session: str) -> Query:
    """What asks the store of long-term memory for it."""
    return Query(stream(engine, SUMMARY, session), SUMMARY, ids=[SUMMARY])


def parse_page(session: str, page: Page) -> StoredSummary:
    """The answer to that query; a summary that cannot be read counts as none."""
    if not page.records:
        return StoredSummary(version=page.version)
    try:
        return read_summary(session, page.records[0], page.version)
    except UnreadableRecord as error:
        body.skip(page.records[0], error)
        return StoredSummary(version=page.version)


def belongs_to(stored: StoredSummary, snapshot: Snapshot, user: str | None) -> bool:
    """Whether a summary is of the session that was seen, which may have begun anew since.

    Raises:
        NotOwner: the session has ended, and was another user's.
    """
    if snapshot.info is not None:
        return (
            stored.generation == generation_of(snapshot.version)
            or stored.user == snapshot.info.user
        )
    if user is None or stored.user == user:
        return True
    if stored.user is None:
        return False
    raise NotOwner("the session that this summary is of belonged to another user")


def is_covered_by(window: Iterable[Item], summary: Summary, span: SummarySpan) -> bool:
    """Whether a window has every message that is summed up, so that the summary adds nothing."""
    first_seq, last_seq = span.first, summary.last_seq
    visible_turns = sum(
        first_seq <= item.seq <= last_seq and bool(spoken_text(item)) for item in window
    )
    return visible_turns >= span.messages


def write(
    engine: Engine,
    before: StoredSummary,
    after: Summary,
    *,
    generation: int,
    user: str | None,
    span: SummarySpan | None = None,
) -> int:
    """Put a summary in the place of the one seen before; its version, 0 if that was not there.

    One that covers less of the same life is never written, nor one that the redactor refuses.

    Args:
        engine: of the session.
        before: what `load` said.
        after: what to tell from now on; its version is counted here.
        generation: of the session.
        user: whose session it is.
        span: what it sums up beside what the one before did; `None` = that is not known.
    """
    previous_summary = before.summary
    if (
        previous_summary is not None
        and before.generation == generation
        and after.last_seq < previous_summary.last_seq
    ):
        return 0
    text = redacted(engine, after.text, "summary")
    if not text:
        return 0
    topics = (redacted(engine, topic, "summary") for topic in after.topics)
    version = 1 + (previous_summary.version if previous_summary else 0)
    new_summary = replace(after, text=text, topics=tuple(filter(None, topics)), version=version)
    combined_span = _combined_span(before, generation, span)
    in_prompts = _still_in_prompts(before, generation, combined_span)
    json_fields = summary_fields(new_summary, generation, user, combined_span, in_prompts)
    record = Record(SUMMARY, SUMMARY, json_text.dumps(json_fields, "summary"), engine.now())
    stream_name, ttl = stream(engine, SUMMARY, after.session), engine.settings.summary_ttl
    try:
        commit = engine.longterm.commit(stream_name, put=[record], ttl=ttl, expect=before.version)
    except Conflict:
        return 0
    return commit.version


def delete_version(engine: Engine, session: str, version: int) -> None:
    """Drop a summary that was just written, unless somebody wrote another one since."""
    with suppress(Conflict):
        summary_stream_name = stream(engine, SUMMARY, session)
        engine.longterm.commit(summary_stream_name, drop=[Drop()], ttl=KEEP, expect=version)


def extend_ttl(engine: Engine, summary: Summary) -> None:
    """Let a summary live on, since somebody asked for it; seldom."""
    now, ttl = engine.now(), engine.settings.summary_ttl
    if ttl is None:
        return
    summary_stream_name = stream(engine, SUMMARY, summary.session)
    written_at = 0.0 if summary.updated_at is None else summary.updated_at.timestamp()
    last_extended_at = max(written_at, engine.longterm.touched(_TOUCH_KEY, summary_stream_name))
    if not 0 <= now - last_extended_at < ttl * _MIN_TTL_SHARE:
        engine.longterm.commit(summary_stream_name, ttl=ttl)
        engine.longterm.touch(_TOUCH_KEY, summary_stream_name, now)


def _combined_span(
    before: StoredSummary, generation: int, span: SummarySpan | None
) -> SummarySpan | None:
    """What is summed up, with what the summary before it did."""
    if span is None or before.summary is None:
        return span
    if before.generation != generation or before.span is None:
        return None
    return SummarySpan(before.span.first, before.span.messages + span.messages)


def _still_in_prompts(
    before: StoredSummary, generation: int, combined: SummarySpan | None
) -> PromptSummary | None:
    """The summary that prompts go on showing; `None` = the new one."""
    prompt_summary = before.for_prompts()
    if prompt_summary.summary is None or prompt_summary.span is None or combined is None:
        return None
    if (
        before.generation != generation
        or combined.messages - prompt_summary.span.messages >= _RENEWED_AFTER
    ):
        return None
    return PromptSummary(
        prompt_summary.summary.text, prompt_summary.summary.last_seq, prompt_summary.span
    )
