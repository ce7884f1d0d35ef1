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
_INPUT_ROLES: Final = frozenset({"user", "system", "developer"})


def record(turn: AgentTurn, request: ModelRequest[Any], messages: Sequence[BaseMessage]) -> None:
    """Store each answer among the messages under the message's id, unless that is taken."""
    for message in messages:
        if isinstance(message, AIMessage):
            key = turn.key_of(message) or None
            id = message.id if key else None
            record_responses.record(turn.chat, {**_response(request, message), "id": id}, key=key)


def revise(turn: AgentTurn, messages: Sequence[BaseMessage]) -> None:
    """Update the responses of which the state's messages changed the question or the answer.

    Args:
        turn: its `changed` items are taken as seen.
        messages: of the state.
    """
    if not turn.changed:
        return
    changed, turn.changed = turn.changed, set()
    held = {held.record for held in turn.held.values()}
    removed = not changed <= held
    contribution: list[BaseMessage] = []
    for message in messages:
        entry = turn.held.get(message.id or "")
        contribution.append(message)
        if not isinstance(message, AIMessage):
            continue
        records = {turn.held[m.id].record for m in contribution if m.id in turn.held}
        is_of_turn = entry is not None and entry.record == turn.key_of(message)
        if entry is not None and (records & changed or (removed and is_of_turn)):
            record_responses.revise(
                turn.chat,
                id=message.id,
                key=entry.record,
                input=_new_input(contribution[:-1]),
                output=Window([to_item(message)]).to_responses(),
            )
        contribution = [message]


def _response(request: ModelRequest[Any], message: AIMessage) -> dict[str, Any]:
    item = to_item(message)
    metadata = message.response_metadata
    reason = next(
        (metadata[name] for name in _REASON_FIELDS if isinstance(metadata.get(name), str)), None
    )
    extra = {"finish_reason": reason, "provider_id": metadata.get("id")}
    return {
        "model": item.model or _model_name(request.model),
        "status": "incomplete" if reason in _CUT_OFF_REASONS else "completed",
        "input": _new_input(request.messages),
        "output": Window([item]).to_responses(),
        "usage": item.usage,
        "extra": {name: text for name, text in extra.items() if isinstance(text, str)},
    }


def _new_input(prompt: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """The entries of a prompt after the model's last answer: user input and tool results.

    The last answer is converted along with them, because results need their calls.
    """
    start = next((n for n in range(len(prompt) - 1, -1, -1) if prompt[n].type == "ai"), 0)
    entries = Window(map(to_item, prompt[start:])).to_responses()
    return [e for e in entries if e.get("role") in _INPUT_ROLES or e["type"].endswith("_output")]


def _model_name(model: Any) -> str | None:
    """The configured model name, for answers that do not name their model."""
    names = (getattr(model, name, None) for name in ("model_name", "model"))
    return next((name for name in names if isinstance(name, str) and name), None)
