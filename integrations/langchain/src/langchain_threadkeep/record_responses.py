"""Answers of an agent's model as responses: what was asked, what came back, what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from langchain.agents.middleware.types import ModelRequest
from langchain_core.messages import AIMessage, BaseMessage

from langchain_threadkeep.codec import to_item
from langchain_threadkeep.turn import Turn
from threadkeep import Window
from threadkeep.adapters import record_responses

_CUT: Final = frozenset({"length", "max_tokens", "max_output_tokens", "MAX_TOKENS"})
_REASONS: Final = ("finish_reason", "stop_reason")
_ASKERS: Final = frozenset({"user", "system", "developer"})


def record(turn: Turn, request: ModelRequest[Any], said: Sequence[BaseMessage]) -> None:
    """Store each answer among the messages; its id is the message's, where that is free."""
    for message in said:
        if isinstance(message, AIMessage):
            key = turn.key_of(message) or None
            id = message.id if key else None
            record_responses.record(turn.chat, {**_response(request, message), "id": id}, key=key)


def _response(request: ModelRequest[Any], message: AIMessage) -> dict[str, Any]:
    item = to_item(message)
    about = message.response_metadata
    reason = next((about[name] for name in _REASONS if isinstance(about.get(name), str)), None)
    extra = {"finish_reason": reason, "provider_id": about.get("id")}
    return {
        "model": item.model or _name(request.model),
        "status": "incomplete" if reason in _CUT else "completed",
        "input": _asked(request.messages),
        "output": Window([item]).to_responses(),
        "usage": item.usage,
        "extra": {name: text for name, text in extra.items() if isinstance(text, str)},
    }


def _asked(prompt: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """What of a prompt is new since the model spoke last: what a person said, or tools gave back.

    The answer before it goes along as far as the results need their calls.
    """
    last = next((n for n in range(len(prompt) - 1, -1, -1) if prompt[n].type == "ai"), 0)
    entries = Window(map(to_item, prompt[last:])).to_responses()
    return [e for e in entries if e.get("role") in _ASKERS or e["type"].endswith("_output")]


def _name(model: Any) -> str | None:
    """What a chat model is told to ask for, where its answers do not say who gave them."""
    found = (getattr(model, name, None) for name in ("model_name", "model"))
    return next((name for name in found if isinstance(name, str) and name), None)
