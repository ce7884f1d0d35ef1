"""What the verbs of `FeedbackBook` do: feedback beside the response it is about."""

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
from threadkeep.responses.search import Where, hits
from threadkeep.responses.store import home
from threadkeep.sessions.edit import json_object
from threadkeep.sessions.read import items_of
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Drop, Query
from threadkeep.types.responses import RATINGS, Feedback, RatingCounts
from threadkeep.types.timestamps import moment


class Wanted(NamedTuple):
    """Which feedback; `None` = any. Times are aware, `until` is exclusive."""

    response: str | None = None
    rating: str | None = None
    model: str | None = None
    author: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, feedback: Feedback) -> bool:
        """Whether all that is wanted holds."""
        said = ("response", "rating", "model", "author")
        at = feedback.created_at
        return (
            all(getattr(self, f) in (None, getattr(feedback, f)) for f in said)
            and (self.since is None or (at is not None and at >= self.since))
            and (self.until is None or (at is not None and at < self.until))
        )


def drafted(engine: Engine, user: str | None, said: dict[str, Any]) -> Feedback:
    """Feedback of the fields given, each checked.

    Raises:
        InputError: a field is not what it should be.
    """
    for field in ("response", "author", "item", "id"):
        if said[field] is not None or field == "response":
            names.check(said[field], field)
    comment = said["comment"]
    if comment is not None and not isinstance(comment, str):
        raise InputError(f"comment must be a str, got {type(comment).__name__}")
    now = engine.now()
    return Feedback(
        id=said["id"] or f"fb_{engine.mint(now)}",
        response=said["response"],
        rating=check_rating(said["rating"]),
        comment=comment or None,
        author=said["author"] or user,
        item=said["item"],
        metadata=json_object(said["metadata"]),
        created_at=moment(now),
    )


def add(engine: Engine, user: str | None, feedback: Feedback) -> Feedback:
    """As `FeedbackBook.add`."""
    door = home(engine, user, feedback.response)
    if door is None:
        raise _no_response(feedback)
    return door.settle(functools.partial(_added, door, redacted_feedback(engine, feedback)))


def found(
    engine: Engine, where: Where, wanted: Wanted, cursor: object = None
) -> Iterator[tuple[Feedback, Any]]:
    """The feedback that is wanted, newest first in each session, with cursors."""
    if wanted.response is not None:
        door = home(engine, where.user, wanted.response)
        if door is None or where.conversation not in (None, door.id):
            return
        where = where._replace(conversation=door.id)
    for hit in hits(engine, where, "feedback", cursor):
        feedback = read_feedback(hit.record, hit.door.id)
        if feedback is not None and wanted.takes(feedback):
            yield feedback, hit.cursor


def tallies(found: Iterator[tuple[Feedback, Any]], by: str) -> Iterator[tuple[str, RatingCounts]]:
    """Each feedback as one vote under its model, day, rating or response."""
    for feedback, _ in found:
        liked = feedback.rating == "positive"
        yield BY[by](feedback), RatingCounts(int(liked), int(not liked))


def delete(engine: Engine, user: str | None, response: str, id: str) -> None:
    """As `FeedbackBook.delete`."""
    key = names.key(names.check(id, "id"))
    door = home(engine, user, response)
    if door is None:
        return

    def step() -> None:
        seen = door.look(Query(door.stream, "feedback", ids=[key]))
        records = seen.pages[0].records
        feedback = read_feedback(records[0], door.id) if records else None
        if feedback is not None and feedback.response == response:
            door.change(seen, drop=[Drop("feedback", [key])])

    door.settle(step)


def check_rating(rating: object) -> Any:
    """The rating, if it is one."""
    if rating not in RATINGS:
        raise InputError(f"rating must be 'positive' or 'negative', got {rating!r:.80}")
    return rating


def _added(door: SessionStream, feedback: Feedback) -> Feedback:
    entry = Query(door.stream, ENTRY, ids=[names.key(feedback.response)])
    item = items_of(door, ids=[names.key(feedback.item)] if feedback.item else [])
    same = Query(door.stream, "feedback", ids=[names.key(feedback.id)])
    seen = door.look(entry, same, *([item] if feedback.item else []))
    if not seen.pages[0].records:
        raise _no_response(feedback)
    if feedback.item and not seen.pages[2].records:
        raise NotFound(f"session {door.id!r} has no item {feedback.item!r} to give feedback on")
    old = read_feedback(seen.pages[1].records[0], door.id) if seen.pages[1].records else None
    if old is not None and old.response != feedback.response:
        raise InputError(f"id: feedback {feedback.id!r} is on response {old.response!r} already")
    model = read_entry(seen.pages[0].records[0]).model
    stored = replace(feedback, model=model, conversation=door.id)
    door.change(seen, put=[feedback_record(stored, door.engine.now())])
    return stored


def _no_response(feedback: Feedback) -> NotFound:
    return NotFound(f"there is no response {feedback.response!r} to give feedback on")


def _day(feedback: Feedback) -> str:
    return "" if feedback.created_at is None else f"{feedback.created_at:%Y-%m-%d}"


BY: Final[dict[str, Callable[[Feedback], str]]] = {
    "model": lambda feedback: feedback.model or "",
    "day": _day,
    "rating": lambda feedback: feedback.rating,
    "response": lambda feedback: feedback.response,
}
