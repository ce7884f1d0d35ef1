"""Feedback: ratings of responses; `memory.feedback`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from operator import add as plus
from typing import Any, Literal

from threadkeep.core import names
from threadkeep.core.async_twin import async_twin
from threadkeep.core.call_limit import reads
from threadkeep.core.engine import Engine
from threadkeep.core.suggestions import name_unknown_attributes
from threadkeep.core.user_id import UserId
from threadkeep.core.wrong_calls import explain_wrong_calls
from threadkeep.errors import InputError
from threadkeep.printable import shown
from threadkeep.responses import feedback as rates
from threadkeep.responses.search import (
    Scope,
    check_limit,
    sum_by_key,
    take_page,
)
from threadkeep.sessions.access import owner_for
from threadkeep.types import Listing
from threadkeep.types.responses import Feedback, RatingCounts
from threadkeep.types.states import Rating
from threadkeep.types.timestamps import parse_time

Moment = datetime | float | str


@name_unknown_attributes
@explain_wrong_calls
class FeedbackCollection:
    """The feedback of a namespace, or on one user's responses (`memory.user(...).feedback`).

    It lives in the session of its response and never outlives it. `user=` is the owner of
    the responses; another user's are refused with `NotOwner`. Every verb has an async twin.
    """

    def __init__(self, engine: Engine, user: str | None = None) -> None:
        self._engine = engine
        self._user = user

    def add(
        self,
        response: str,
        *,
        rating: Rating,
        comment: str | None = None,
        author: str | None = None,
        item: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        id: str | None = None,
        user: UserId | None = None,
    ) -> Feedback:
        """Store feedback on a response; there may be any number.

        Args:
            response: the id of a stored response.
            rating: `positive` or `negative`.
            comment: in their own words.
            author: who gives it; by default the user of this handle.
            item: the id of an item of the conversation, if it is about one only.
            metadata: the application's own, any JSON object.
            id: an idempotency key; given again, the feedback is replaced.
            user: the owner of the responses.

        Raises:
            NotFound: there is no such response, or its conversation has no such item.
            InputError: a field is not what it should be; it is named. Nothing was written.
            NotOwner: the response belongs to another user.
        """
        owner = owner_for(self._engine, self._user, user)
        raw_fields = {
            "response": response,
            "rating": rating,
            "comment": comment,
            "author": author,
            "item": item,
            "metadata": metadata,
            "id": id,
        }
        return rates.add(self._engine, owner, rates.new_feedback(self._engine, owner, raw_fields))

    @reads
    def counts(
        self,
        *,
        by: Literal["model", "day", "rating", "response"] = "model",
        response: str | None = None,
        conversation: str | None = None,
        rating: Rating | None = None,
        model: str | None = None,
        author: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        user: UserId | None = None,
    ) -> dict[str, RatingCounts]:
        """How often each rating was given, by model, day (`2026-01-31`, UTC), rating or response.

        The conditions are those of `list`.
        """
        if not isinstance(by, str) or by not in rates.GROUP_KEYS:
            raise InputError(f"by must be one of {', '.join(rates.GROUP_KEYS)}, got {shown(by)}")
        scope = Scope(owner_for(self._engine, self._user, user), conversation)
        conditions = _conditions(response, rating, model, author, since, until)
        matches = rates.find_feedback(self._engine, scope, conditions)
        return sum_by_key(rates.rating_counts(matches, by), plus)

    def export(
        self,
        *,
        response: str | None = None,
        conversation: str | None = None,
        rating: Rating | None = None,
        model: str | None = None,
        author: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        user: UserId | None = None,
    ) -> Sequence[dict[str, Any]]:
        """All feedback that meets the conditions of `list`, as dicts of JSON; dates in ISO 8601."""
        scope = Scope(owner_for(self._engine, self._user, user), conversation)
        conditions = _conditions(response, rating, model, author, since, until)
        return [
            to_json(feedback) for feedback in rates.find_feedback(self._engine, scope, conditions)
        ]

    def delete(self, response: str, id: str, *, user: UserId | None = None) -> None:
        """Delete feedback on a response; missing feedback is no error.

        Raises:
            NotOwner: the response belongs to another user.
        """
        rates.delete(self._engine, owner_for(self._engine, self._user, user), response, id)

    @reads
    def list(
        self,
        *,
        response: str | None = None,
        conversation: str | None = None,
        rating: Rating | None = None,
        model: str | None = None,
        author: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        user: UserId | None = None,
        limit: int = 20,
        cursor: Any = None,
    ) -> Listing[Feedback]:
        """A page of feedback that meets all conditions; `.cursor` leads on.

        The newest of a conversation first; a user's conversations as in `memory.sessions`.
        One page looks at 1,000 entries and sessions at most: a page may be short, and lead on.

        Args:
            response: on this response.
            conversation: on responses of this session.
            rating: `positive` or `negative`.
            model: on responses of this model.
            author: by this author.
            since: not earlier: epoch seconds, ISO 8601 or a datetime.
            until: earlier than this.
            user: on this user's responses.
            limit: from 1 to 1,000.
            cursor: what the last page's `.cursor` said.

        Raises:
            InputError: a condition, the limit or the cursor is none.
            NotOwner: the response or conversation belongs to another user.
        """
        scope = Scope(owner_for(self._engine, self._user, user), conversation)
        conditions = _conditions(response, rating, model, author, since, until)
        feedback_places = rates.find_feedback_places(self._engine, scope, conditions, cursor)
        feedback, next_cursor = take_page(feedback_places, check_limit(limit))
        return Listing(feedback, cursor=next_cursor)

    aadd = async_twin(add)
    acounts = async_twin(counts)
    aexport = async_twin(export)
    adelete = async_twin(delete)
    alist = async_twin(list)


def to_json(feedback: Feedback) -> dict[str, Any]:
    """Feedback as a dict of JSON, its date in ISO 8601."""
    created_at = feedback.created_at
    return {
        **asdict(feedback),
        "created_at": None if created_at is None else created_at.isoformat(),
    }


def _conditions(
    response: str | None,
    rating: str | None,
    model: str | None,
    author: str | None,
    since: Moment | None,
    until: Moment | None,
) -> rates.FeedbackFilter:
    return rates.FeedbackFilter(
        response if response is None else names.check(response, "response"),
        rating if rating is None else rates.check_rating(rating),
        model,
        author,
        None if since is None else parse_time(since, "since"),
        None if until is None else parse_time(until, "until"),
    )
