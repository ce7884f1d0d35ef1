"""Feedback: what people think of responses; `memory.feedback`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from operator import add as plus
from typing import Any, Literal

from threadkeep.core import names
from threadkeep.core.engine import Engine, async_twin
from threadkeep.core.user_id import UserId
from threadkeep.errors import InputError
from threadkeep.responses import feedback as rates
from threadkeep.responses.search import (
    Where,
    folded,
    limited,
    page,
)
from threadkeep.sessions.access import whose
from threadkeep.types import Listing
from threadkeep.types.responses import Feedback, Rating, RatingCounts
from threadkeep.types.timestamps import when

Moment = datetime | float | str


class FeedbackCollection:
    """The feedback of a namespace, or on one user's responses (`memory.user(...).feedback`).

    It lives in the session of its response and never outlives it. `user=` is the door: whose
    responses; another user's are refused with `NotOwner`. Every verb has an async twin.
    """

    def __init__(self, engine: Engine, user: str | None = None) -> None:
        self.engine = engine
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
            author: who says so; else the user whose door this is.
            item: the id of an item of the conversation, if it is about one only.
            metadata: the application's own, any JSON object.
            id: an idempotency key; given again, the feedback is replaced.
            user: whose responses these are.

        Raises:
            NotFound: there is no such response, or its conversation has no such item.
            InputError: a field is not what it should be; it is named. Nothing was written.
            NotOwner: the response belongs to another user.
        """
        owner = whose(self.engine, self._user, user)
        said = {
            "response": response,
            "rating": rating,
            "comment": comment,
            "author": author,
            "item": item,
            "metadata": metadata,
            "id": id,
        }
        return rates.add(self.engine, owner, rates.drafted(self.engine, owner, said))

    def summarise(
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
        if not isinstance(by, str) or by not in rates.BY:
            raise InputError(f"by must be one of {', '.join(rates.BY)}, got {by!r}")
        where = Where(whose(self.engine, self._user, user), conversation)
        wanted = _wanted(response, rating, model, author, since, until)
        found = rates.found(self.engine, where, wanted)
        return folded(rates.tallies(found, by), plus)

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
        where = Where(whose(self.engine, self._user, user), conversation)
        wanted = _wanted(response, rating, model, author, since, until)
        return [exported(feedback) for feedback, _ in rates.found(self.engine, where, wanted)]

    def delete(self, response: str, id: str, *, user: UserId | None = None) -> None:
        """Take feedback on a response back; what is not there is no error.

        Raises:
            NotOwner: the response belongs to another user.
        """
        rates.delete(self.engine, whose(self.engine, self._user, user), response, id)

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
        where = Where(whose(self.engine, self._user, user), conversation)
        wanted = _wanted(response, rating, model, author, since, until)
        found = rates.found(self.engine, where, wanted, cursor)
        taken, following = page(found, limited(limit))
        return Listing(taken, cursor=following)

    aadd = async_twin(add)
    asummarise = async_twin(summarise)
    aexport = async_twin(export)
    adelete = async_twin(delete)
    alist = async_twin(list)


def exported(feedback: Feedback) -> dict[str, Any]:
    """Feedback as a dict of JSON, its date in ISO 8601."""
    at = feedback.created_at
    return {**asdict(feedback), "created_at": None if at is None else at.isoformat()}


def _wanted(
    response: str | None,
    rating: str | None,
    model: str | None,
    author: str | None,
    since: Moment | None,
    until: Moment | None,
) -> rates.Wanted:
    return rates.Wanted(
        response if response is None else names.check(response, "response"),
        rating if rating is None else rates.check_rating(rating),
        model,
        author,
        None if since is None else when(since, "since"),
        None if until is None else when(until, "until"),
    )
