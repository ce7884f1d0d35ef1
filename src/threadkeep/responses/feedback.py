"""Implements `FeedbackCollection`: feedback, stored in the session of its response."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from threadkeep.core import names
from threadkeep.core.engine import Engine
from threadkeep.core.redaction import redacted_feedback
from threadkeep.core.response_codec import (
    ENTRY,
    feedback_record,
    read_entry,
    read_feedback,
)
from threadkeep.errors import InputError, NotFound
from threadkeep.printable import shown
from threadkeep.responses.search import Scope, find_places
from threadkeep.responses.store import find_stream
from threadkeep.sessions.edit import json_object
from threadkeep.sessions.read import items_query
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Drop, Query
from threadkeep.types.responses import Feedback, RatingCounts
from threadkeep.types.states import RATINGS
from threadkeep.types.timestamps import utc_datetime


class FeedbackFilter(NamedTuple):
    """The conditions of a listing; `None` = any. Times are aware, `until` is exclusive."""

    response: str | None = None
    rating: str | None = None
    model: str | None = None
    author: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, feedback: Feedback) -> bool:
        """Return True if all conditions hold."""
        field_names = ("response", "rating", "model", "author")
        created_at = feedback.created_at
        return (
            all(getattr(self, field) in (None, getattr(feedback, field)) for field in field_names)
            and (self.since is None or (created_at is not None and created_at >= self.since))
            and (self.until is None or (created_at is not None and created_at < self.until))
        )


def new_feedback(engine: Engine, user: str | None, fields: dict[str, Any]) -> Feedback:
    """Create feedback from fields, after checking each.

    Raises:
        InputError: a field is invalid.
    """
    for field_name in ("response", "author", "item", "id"):
        if fields[field_name] is not None or field_name == "response":
            names.check(fields[field_name], field_name)
    comment = fields["comment"]
    if comment is not None and not isinstance(comment, str):
        raise InputError(f"comment must be a str, got {type(comment).__name__}")
    now = engine.now()
    return Feedback(
        id=fields["id"] or f"fb_{engine.new_id(now)}",
        response=fields["response"],
        rating=check_rating(fields["rating"]),
        comment=comment or None,
        author=fields["author"] or user,
        item=fields["item"],
        metadata=json_object(fields["metadata"]),
        created_at=utc_datetime(now),
    )


def add(engine: Engine, user: str | None, feedback: Feedback) -> Feedback:
    """Implements `FeedbackCollection.add`."""
    session_stream = find_stream(engine, user, feedback.response)
    redacted_entry = redacted_feedback(engine, feedback)
    if session_stream is None and engine.discards:
        return redacted_entry
    if session_stream is None:
        raise _no_response(feedback)
    return session_stream.retry(functools.partial(_add, session_stream, redacted_entry))


def find_feedback(engine: Engine, scope: Scope, conditions: FeedbackFilter) -> Iterator[Feedback]:
    """The matching feedback, newest first in each session."""
    pairs = find_feedback_places(engine, scope, conditions, None)
    return (feedback for feedback, _ in pairs if feedback is not None)


def find_feedback_places(
    engine: Engine, scope: Scope, conditions: FeedbackFilter, cursor: object
) -> Iterator[tuple[Feedback | None, Any]]:
    """As `find_feedback`, with cursors, and a `None` for what does not match (`find_places`)."""
    if conditions.response is not None:
        session_stream = find_stream(engine, scope.user, conditions.response)
        if session_stream is None or scope.conversation not in (None, session_stream.id):
            return
        scope = scope._replace(conversation=session_stream.id)
    for hit, hit_cursor in find_places(engine, scope, "feedback", cursor):
        feedback = None if hit is None else read_feedback(hit.record, hit.stream.id)
        yield feedback if feedback and conditions.matches(feedback) else None, hit_cursor


def rating_counts(matches: Iterator[Feedback], group_by: str) -> Iterator[tuple[str, RatingCounts]]:
    """Count each feedback under its model, day, rating or response."""
    for feedback in matches:
        is_positive = feedback.rating == "positive"
        yield GROUP_KEYS[group_by](feedback), RatingCounts(int(is_positive), int(not is_positive))


def delete(engine: Engine, user: str | None, response: str, id: str) -> None:
    """Implements `FeedbackCollection.delete`."""
    record_key = names.key(names.check(id, "id"))
    stream = find_stream(engine, user, response)
    if stream is None:
        return

    def attempt() -> None:
        snapshot = stream.read(Query(stream.stream_name, "feedback", ids=[record_key]))
        feedback_records = snapshot.pages[0].records
        feedback = read_feedback(feedback_records[0], stream.id) if feedback_records else None
        if feedback is not None and feedback.response == response:
            stream.compare_and_set(snapshot, drop=[Drop("feedback", [record_key])])

    stream.retry(attempt)


def check_rating(rating: object) -> Any:
    """Return the rating.

    Raises:
        InputError: it is not `positive` or `negative`.
    """
    if rating not in RATINGS:
        raise InputError(f"rating must be 'positive' or 'negative', got {shown(rating)}")
    return rating


def _add(stream: SessionStream, feedback: Feedback) -> Feedback:
    entry_query = Query(stream.stream_name, ENTRY, ids=[names.key(feedback.response)])
    item_query = items_query(stream, ids=[names.key(feedback.item)] if feedback.item else [])
    feedback_query = Query(stream.stream_name, "feedback", ids=[names.key(feedback.id)])
    snapshot = stream.read(entry_query, feedback_query, *([item_query] if feedback.item else []))
    if not snapshot.pages[0].records:
        raise _no_response(feedback)
    if feedback.item and not snapshot.pages[2].records:
        raise NotFound(
            f"session {shown(stream.id)} has no item {shown(feedback.item)} to give feedback on"
        )
    existing = (
        read_feedback(snapshot.pages[1].records[0], stream.id)
        if snapshot.pages[1].records
        else None
    )
    if existing is not None and existing.response != feedback.response:
        raise InputError(
            f"id: feedback {shown(feedback.id)} is on response {shown(existing.response)} already"
        )
    model = read_entry(snapshot.pages[0].records[0]).model
    new_feedback = replace(feedback, model=model, conversation=stream.id)
    stream.compare_and_set(snapshot, put=[feedback_record(new_feedback, stream.engine.now())])
    return new_feedback


def _no_response(feedback: Feedback) -> NotFound:
    return NotFound(f"there is no response {shown(feedback.response)} to give feedback on")


def _day(feedback: Feedback) -> str:
    return "" if feedback.created_at is None else f"{feedback.created_at:%Y-%m-%d}"


GROUP_KEYS: Final[dict[str, Callable[[Feedback], str]]] = {
    "model": lambda feedback: feedback.model or "",
    "day": _day,
    "rating": lambda feedback: feedback.rating,
    "response": lambda feedback: feedback.response,
}
