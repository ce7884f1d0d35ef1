"""What adapters see of a model's answers, stored beside the session: `record_responses=True`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from threadkeep.api.responses import Responses
from threadkeep.api.session import Session
from threadkeep.errors import NotOwner, ThreadkeepError
from threadkeep.responses import chain
from threadkeep.types.responses import Response


def record(chat: Session, answer: Mapping[str, Any], *, key: str | None = None) -> Response | None:
    """Store an answer as a `Response` of the session, going on from the newest one there.

    A provider's id that some other response has already is not used again: then, or without one,
    the id is made of the session's and the key, or minted. What cannot be stored is logged as an
    error and stops no run: the model has answered and was paid for, and the conversation goes on.

    Args:
        chat: the session, open for its user.
        answer: a response as `Responses.add` takes it, without what the session says of it.
        key: what tells answers of this session apart; given again, the response is updated.

    Returns:
        The response as stored, or `None` if it could not be.
    """
    try:
        return _recorded(chat, answer, key)
    except ThreadkeepError as error:
        import logging  # rarely needed, and slow to load

        logging.getLogger("threadkeep").error(
            "a model's answer in session %r was not recorded as a response (%s: %s)",
            chat.id, type(error).__name__, error,
        )  # fmt: skip
        return None


class _Place(NamedTuple):
    """Under which id an answer goes (`None` = mint one), and what is there of it already."""

    id: str | None
    old: Response | None = None


def _recorded(chat: Session, answer: Mapping[str, Any], key: str | None) -> Response:
    book = Responses(chat.engine, chat.user)
    place = _place(book, chat, answer.get("id"), key)
    own = {} if key is None else {"item": key}
    said = {**answer, "id": place.id, "extra": {**answer.get("extra", {}), **own}}
    if place.old is None:
        said["previous_response_id"] = chain.newest(chat.engine, chat.user, chat.id)
    else:
        said["previous_response_id"] = place.old.previous_response_id
        said["created_at"] = place.old.created_at
    return book.add(said, conversation=chat.id)


def _place(book: Responses, chat: Session, id: str | None, key: str | None) -> _Place:
    own = None if key is None else f"{chat.id}/{key}"
    for one in (id, own):
        if not one:
            continue
        try:
            old = book.get(one)
        except NotOwner:
            continue
        if old is None:
            return _Place(one)
        if key is not None and old.conversation == chat.id and old.extra.get("item") == key:
            return _Place(one, old)
    return _Place(None)
