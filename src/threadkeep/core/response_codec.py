"""Responses and feedback as records, and back: strict on write, tolerant on read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from threadkeep.core import body, names, record_shapes
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.json_text import checked
from threadkeep.core.session_codec import text_field
from threadkeep.core.shape import Check
from threadkeep.types import Record
from threadkeep.types.responses import Feedback, Response, Usage
from threadkeep.types.timestamps import utc_datetime

T = TypeVar("T")

ENTRY: Final = "response_entry"
"""The kind of the small records that list a session's responses."""

GAP: Final = "response_gap"
"""The kind that notes a previous response that was not in the session when another referred to it.

It may come later, or be of another session.
"""

_IMPLIED_FIELDS: Final = frozenset({"seq", "conversation", "user", "created_at"})


class ResponseEntry(NamedTuple):
    """A response in a session's list, without its text.

    Attributes:
        id: of the response.
        seq: of the entry, in the order of the responses.
        previous: the id of the previous response.
        safety_identifier: as the response has it.
        model: which model answered.
        created_at: epoch seconds.
        usage: its token counts.
        cached: input tokens that came from a cache.
        reasoning: output tokens that were reasoning.
        tools: the names of the tools that it calls, each once.
        branch: the branch that was shown when it was stored; `None` = there was no other.
    """

    id: str
    seq: int
    previous: str | None
    safety_identifier: str | None
    model: str | None
    created_at: float
    usage: Usage
    cached: int = 0
    reasoning: int = 0
    tools: tuple[str, ...] = ()
    branch: str | None = None


def response_record(response: Response, at: float) -> Record:
    """The record of a response, written at `at`.

    Raises:
        InputError: something in it is not JSON, or it is too large.
    """
    body_json = checked(_fields(response), record_shapes.RESPONSE, "response")
    return Record("response", names.key(response.id), body_json, at)


def read_response(record: Record, conversation: str, user: str | None) -> Response | None:
    """The response of a record, or `None` (logged) if it cannot be read."""
    return _tolerant(record, partial(decode_response, record, conversation, user))


def decode_response(record: Record, conversation: str, user: str | None) -> Response:
    """The response of a record.

    Raises:
        UnreadableRecord: it cannot be read.
    """
    response_fields = _known_fields(record, record_shapes.RESPONSE, _RESPONSE_FIELDS)
    return Response(**response_fields, seq=record.seq, conversation=conversation, user=user)


def entry_record(response: Response, at: float, branch: str | None = None) -> Record:
    """The small record that lists a response in its session, with the branch that is shown."""
    token_counts = response.token_counts
    optional_fields = {
        "cached": token_counts.cached,
        "reasoning": token_counts.reasoning,
        "tools": list(dict.fromkeys(tool_call["name"] for tool_call in response.tool_calls)),
        "branch": branch,
    }
    entry_fields = {
        "id": response.id,
        "previous": response.previous_response_id,
        "safety_identifier": response.safety_identifier,
        "model": response.model,
        "created_at": _epoch(response, at),
        "tokens": [token_counts.input, token_counts.output, token_counts.total],
        **{key: field_value for key, field_value in optional_fields.items() if field_value},
    }
    body_json = checked(entry_fields, record_shapes.RESPONSE_ENTRY, "response")
    return Record(ENTRY, names.key(response.id), body_json, at)


def read_entry(record: Record) -> ResponseEntry:
    """The entry of a record; an unreadable one has only its id."""
    try:
        return decode_entry(record)
    except UnreadableRecord as error:
        body.skip(record, error)
        return ResponseEntry(record.id, record.seq, None, None, None, record.at, Usage(1))


def decode_entry(record: Record) -> ResponseEntry:
    """The entry of a record.

    Raises:
        UnreadableRecord: it cannot be read.
    """
    entry_fields = body.decode(record, record_shapes.RESPONSE_ENTRY)
    return ResponseEntry(
        entry_fields["id"],
        record.seq,
        entry_fields["previous"],
        entry_fields["safety_identifier"],
        entry_fields["model"],
        float(entry_fields["created_at"]),
        Usage(1, *entry_fields["tokens"]),
        entry_fields.get("cached", 0),
        entry_fields.get("reasoning", 0),
        tuple(entry_fields.get("tools", ())),
        entry_fields.get("branch"),
    )


def entry_on_branch(record: Record, branch: str | None) -> Record:
    """The record of a readable entry, with another branch, or without."""
    entry_fields = body.decode(record, record_shapes.RESPONSE_ENTRY)
    entry_fields.pop("branch", None)
    if branch is not None:
        entry_fields["branch"] = branch
    body_json = checked(entry_fields, record_shapes.RESPONSE_ENTRY, "response")
    return dataclasses.replace(record, body=body_json)


def feedback_record(feedback: Feedback, at: float) -> Record:
    """The record of feedback, written at `at`.

    Raises:
        InputError: something in it is not JSON, or it is too large.
    """
    body_json = checked(_fields(feedback), record_shapes.FEEDBACK, "feedback")
    return Record("feedback", names.key(feedback.id), body_json, at)


def read_feedback(record: Record, conversation: str) -> Feedback | None:
    """The feedback of a record, or `None` (logged) if it cannot be read."""
    return _tolerant(record, partial(decode_feedback, record, conversation))


def decode_feedback(record: Record, conversation: str) -> Feedback:
    """The feedback of a record.

    Raises:
        UnreadableRecord: it cannot be read.
    """
    feedback_fields = _known_fields(record, record_shapes.FEEDBACK, _FEEDBACK_FIELDS)
    return Feedback(**feedback_fields, conversation=conversation)


def response_of_feedback(record: Record) -> str | None:
    """The response that feedback is on, even if the rest of it cannot be read."""
    return text_field(record, "response")


def _known_fields(record: Record, check: Check, field_names: frozenset[str]) -> dict[str, Any]:
    """The fields of a body that this version knows."""
    body_fields = body.decode(record, check)
    body_fields["created_at"] = utc_datetime(body_fields["created_at"])
    return {key: field_value for key, field_value in body_fields.items() if key in field_names}


def _fields(value: Response | Feedback) -> dict[str, Any]:
    """The fields to store: without empty ones and those that the record implies."""
    all_fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    stored_fields = {
        field_name: field_value
        for field_name, field_value in all_fields.items()
        if field_name not in _IMPLIED_FIELDS and field_value not in (None, {}, [])
    }
    return {**stored_fields, "created_at": _epoch(value, 0.0)}


def _epoch(value: Response | Feedback, at: float) -> float:
    return at if value.created_at is None else value.created_at.timestamp()


def _tolerant(record: Record, read: Callable[[], T]) -> T | None:
    try:
        return read()
    except UnreadableRecord as error:
        body.skip(record, error)
        return None


_RESPONSE_FIELDS: Final = frozenset(f.name for f in dataclasses.fields(Response))
_FEEDBACK_FIELDS: Final = frozenset(f.name for f in dataclasses.fields(Feedback))
