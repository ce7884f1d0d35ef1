"""Record model answers as responses of a session: `record_responses=True` of the adapters."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from threadkeep.api.responses import Responses
from threadkeep.api.session import Session
from threadkeep.errors import NotOwner, ThreadkeepError
from threadkeep.responses import chain
from threadkeep.types.responses import Response

INPUT_ROLES: Final = frozenset({"user", "system", "developer"})


def is_input(entry: Mapping[str, Any]) -> bool:
    """Return True for what a model was told, the results of tools included: no answer of its."""
    entry_type = str(entry.get("type") or "message")
    return entry.get("role") in INPUT_ROLES or entry_type.endswith("_output")


def record(chat: Session, answer: Mapping[str, Any], *, key: str | None = None) -> Response | None:
    """Store an answer as a `Response` of the session, chained to the newest one there.

    A provider's id is used unless another response has it; the fallback is an id derived from the
    session's id and the key, or a new one. A failure is logged as an error and does not stop the
    run: the answer is paid for, and the conversation continues.

    Args:
        chat: the session, open for its user.
        answer: a response as `Responses.add` takes it, without the fields set by the session.
        key: identifies the answer in this session; with a key seen before, the response is updated.

    Returns:
        The response as stored, or `None` if it could not be.
    """
    try:
        return _store(chat, answer, key)
    except ThreadkeepError as error:
        _log(chat, error)
        return None


def _log(chat: Session, error: ThreadkeepError) -> None:
    import logging  # rarely needed, and slow to load

    logging.getLogger("threadkeep").error(
        "a model's answer in session %r was not recorded as a response (%s: %s)",
        chat.id, type(error).__name__, error,
    )  # fmt: skip


async def arecord(
    chat: Session, answer: Mapping[str, Any], *, key: str | None = None
) -> Response | None:
    """As `record`."""
    return await chat._engine.run_in_thread(functools.partial(record, chat, answer, key=key))


def revise(
    chat: Session, *, id: str | None, key: str, input: Sequence[Any], output: Sequence[Any]
) -> None:
    """Update what was asked and answered in the response of an item that was changed since.

    Nothing happens if the answer was not recorded. A failure is logged, as by `record`.

    Args:
        chat: the session, open for its user.
        id: the id that the provider or framework gave the answer.
        key: identifies the answer in this session.
        input: the entries of the input as they are now.
        output: the entries of the output as they are now.
    """
    try:
        existing_response = _find_slot(Responses(chat._engine, chat.user), chat, id, key).existing
    except ThreadkeepError as error:
        _log(chat, error)
        return
    if existing_response is None or (existing_response.input, existing_response.output) == (
        list(input),
        list(output),
    ):
        return
    field_names = ("model", "status", "usage", "metadata", "extra")
    kept_fields = {field_name: getattr(existing_response, field_name) for field_name in field_names}
    answer_fields = {**kept_fields, "id": id, "input": list(input), "output": list(output)}
    record(chat, answer_fields, key=key)


class _ResponseSlot(NamedTuple):
    """The id to store an answer under (`None` = a new one), and the response it updates."""

    id: str | None
    existing: Response | None = None


def _store(chat: Session, answer: Mapping[str, Any], key: str | None) -> Response:
    responses = Responses(chat._engine, chat.user)
    slot = _find_slot(responses, chat, answer.get("id"), key)
    item_extra = {} if key is None else {"item": key}
    response_fields = {**answer, "id": slot.id, "extra": {**answer.get("extra", {}), **item_extra}}
    if slot.existing is None:
        response_fields["previous_response_id"] = chain.newest_id(chat._engine, chat.user, chat.id)
    else:
        response_fields["previous_response_id"] = slot.existing.previous_response_id
        response_fields["created_at"] = slot.existing.created_at
    return responses.add(response_fields, conversation=chat.id)


def _find_slot(
    responses: Responses, chat: Session, id: str | None, key: str | None
) -> _ResponseSlot:
    derived_id = None if key is None else f"{chat.id}/{key}"
    for candidate_id in (id, derived_id):
        if not candidate_id:
            continue
        try:
            stored_response = responses.get(candidate_id)
        except NotOwner:
            continue
        if stored_response is None:
            return _ResponseSlot(candidate_id)
        if (
            key is not None
            and stored_response.conversation == chat.id
            and stored_response.extra.get("item") == key
        ):
            return _ResponseSlot(candidate_id, stored_response)
    return _ResponseSlot(None)
