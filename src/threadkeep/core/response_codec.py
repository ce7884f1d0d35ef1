"""Responses and feedback as records, and back: strict on write, tolerant on read."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from threadkeep.core import names
from threadkeep.core.item_codec import BROKEN, dumps
from threadkeep.types import Record
from threadkeep.types.responses import Feedback, Response, Usage
from threadkeep.types.timestamps import moment

T = TypeVar("T")

ENTRY: Final = "response_entry"
"""The kind of a session's own small list of its responses."""

GAP: Final = "response_gap"
"""The kind that notes which response some other went on from while it was not there."""

_PLACED: Final = frozenset({"seq", "conversation", "user", "created_at"})


class Entry(NamedTuple):
    """What a session's list says of one response, without its words.

    Attributes:
        id: of the response.
        seq: the place of the entry, in the order of the responses.
        previous: the response it goes on from.
        safety_identifier: as the response has it.
        model: which model answered.
        created_at: epoch seconds.
        usage: what it cost.
    """

    id: str
    seq: int
    previous: str | None
    safety_identifier: str | None
    model: str | None
    created_at: float
    usage: Usage


def response_record(response: Response, at: float) -> Record:
    """The record of a response, written at `at`.

    Raises:
        InputError: something in it is not JSON, or it is too large.
    """
    body = _said(response)
    return Record("response", names.key(response.id), dumps(body, "response"), at)


def read_response(record: Record, conversation: str, user: str | None) -> Response | None:
    """The response of a record, or `None` (logged) if it cannot be read."""
    return _tolerant(record, partial(decode_response, record, conversation, user))


def decode_response(record: Record, conversation: str, user: str | None) -> Response:
    """The response of a record.

    Raises:
        BROKEN: it cannot be read.
    """
    data = json.loads(record.body)
    data["created_at"] = moment(data["created_at"])
    return Response(**data, seq=record.seq, conversation=conversation, user=user)


def entry_record(response: Response, at: float) -> Record:
    """The small record that lists a response in its session."""
    tokens = response.tokens
    body = {
        "id": response.id,
        "previous": response.previous_response_id,
        "safety_identifier": response.safety_identifier,
        "model": response.model,
        "created_at": _epoch(response, at),
        "tokens": [tokens.input_tokens, tokens.output_tokens, tokens.total_tokens],
    }
    return Record(ENTRY, names.key(response.id), dumps(body, "response"), at)


def read_entry(record: Record) -> Entry:
    """The entry of a record; of one that cannot be read, only its id is known."""
    try:
        return decode_entry(record)
    except BROKEN:
        return Entry(record.id, record.seq, None, None, None, record.at, Usage(1))


def decode_entry(record: Record) -> Entry:
    """The entry of a record.

    Raises:
        BROKEN: it cannot be read.
    """
    data = json.loads(record.body)
    return Entry(
        data["id"],
        record.seq,
        data["previous"],
        data["safety_identifier"],
        data["model"],
        float(data["created_at"]),
        Usage(1, *data["tokens"]),
    )


def feedback_record(feedback: Feedback, at: float) -> Record:
    """The record of feedback, written at `at`.

    Raises:
        InputError: something in it is not JSON, or it is too large.
    """
    body = _said(feedback)
    return Record("feedback", names.key(feedback.id), dumps(body, "feedback"), at)


def read_feedback(record: Record, conversation: str) -> Feedback | None:
    """The feedback of a record, or `None` (logged) if it cannot be read."""
    return _tolerant(record, partial(decode_feedback, record, conversation))


def decode_feedback(record: Record, conversation: str) -> Feedback:
    """The feedback of a record.

    Raises:
        BROKEN: it cannot be read.
    """
    data = json.loads(record.body)
    data["created_at"] = moment(data["created_at"])
    return Feedback(**data, conversation=conversation)


def _said(value: Response | Feedback) -> dict[str, Any]:
    """Its fields but for those that the place of the record says, and those that say nothing."""
    found = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    body = {k: v for k, v in found.items() if k not in _PLACED and v not in (None, {}, [])}
    return {**body, "created_at": _epoch(value, 0.0)}


def _epoch(value: Response | Feedback, at: float) -> float:
    return at if value.created_at is None else value.created_at.timestamp()


def _tolerant(record: Record, read: Callable[[], T]) -> T | None:
    try:
        return read()
    except BROKEN as error:
        import logging  # rarely needed, and slow to load

        logging.getLogger("threadkeep").warning(
            "skipped an unreadable %s record %r (%s)", record.kind, record.id, type(error).__name__
        )
        return None
