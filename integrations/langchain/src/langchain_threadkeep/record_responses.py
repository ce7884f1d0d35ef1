"""Record model answers as responses: input, output and token usage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from langchain.agents.middleware.types import ModelRequest
from langchain_core.messages import AIMessage, BaseMessage

from langchain_threadkeep.codec import to_item
from langchain_threadkeep.turn import AgentTurn
from threadkeep import Window
from threadkeep.adapters import record_responses

_CUT_OFF_REASONS: Final = frozenset({"length", "max_tokens", "max_output_tokens", "MAX_TOKENS"})
_REASON_FIELDS: Final = ("finish_reason", "stop_reason")


def record(turn: AgentTurn, request: ModelRequest[Any], messages: Sequence[BaseMessage]) -> None:
    """Store each answer among the messages under the message's id, unless that is taken."""
    for message in messages:
        if isinstance(message, AIMessage):
            record_key = turn.key_of(message) or None
            response_id = message.id if record_key else None
            record_responses.record(
                turn.chat, {**_response(request, message), "id": response_id}, key=record_key
            )


def revise(turn: AgentTurn, messages: Sequence[BaseMessage]) -> None:
    """Update the responses of which the state's messages changed the question or the answer.

    Args:
        turn: its `changed` items are taken as seen.
        messages: of the state.
    """
    if not turn.changed:
        return
    changed_ids, turn.changed = turn.changed, set()
    held_ids = {held_message.record for held_message in turn.held.values()}
    has_removed_ids = not changed_ids <= held_ids
    exchange_messages: list[BaseMessage] = []
    for message in messages:
        held_message = turn.held.get(message.id or "")
        exchange_messages.append(message)
        if not isinstance(message, AIMessage):
            continue
        exchange_ids = {
            turn.held[message.id].record for message in exchange_messages if message.id in turn.held
        }
        is_of_turn = held_message is not None and held_message.record == turn.key_of(message)
        if held_message is not None and (
            exchange_ids & changed_ids or (has_removed_ids and is_of_turn)
        ):
            record_responses.revise(
                turn.chat,
                id=message.id,
                key=held_message.record,
                input=_new_input(exchange_messages[:-1]),
                output=Window([to_item(message)]).to_responses(),
            )
        exchange_messages = [message]


def _response(request: ModelRequest[Any], message: AIMessage) -> dict[str, Any]:
    item = to_item(message)
    response_metadata = message.response_metadata
    finish_reason = next(
        (
            response_metadata[field_name]
            for field_name in _REASON_FIELDS
            if isinstance(response_metadata.get(field_name), str)
        ),
        None,
    )
    extra_fields = {"finish_reason": finish_reason, "provider_id": response_metadata.get("id")}
    return {
        "model": item.model or _model_name(request.model),
        "status": "incomplete" if finish_reason in _CUT_OFF_REASONS else "completed",
        "input": _new_input(request.messages),
        "output": Window([item]).to_responses(),
        "usage": item.usage,
        "extra": {key: value for key, value in extra_fields.items() if isinstance(value, str)},
    }


def _new_input(prompt: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """The entries of a prompt after the model's last answer: user input and tool results.

    The last answer is converted along with them, because results need their calls.
    """
    start_index = next(
        (index for index in range(len(prompt) - 1, -1, -1) if prompt[index].type == "ai"), 0
    )
    entries = Window(map(to_item, prompt[start_index:])).to_responses()
    return list(filter(record_responses.is_input, entries))


def _model_name(model: Any) -> str | None:
    """The configured model name, for answers that do not name their model."""
    candidate_names = (getattr(model, name, None) for name in ("model_name", "model"))
    return next((name for name in candidate_names if isinstance(name, str) and name), None)
