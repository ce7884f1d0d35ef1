"""Record the answers of runs as responses: input, output and token usage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from agent_framework import ChatResponse, Message

from agent_framework_threadkeep.codec import to_items, usage_of
from threadkeep import Session, Window
from threadkeep.adapters import record_responses
from threadkeep.adapters.record_responses import INPUT_ROLES

if TYPE_CHECKING:
    from agent_framework import AgentResponse, SessionContext, SupportsAgentRun

_CUT_OFF: Final = frozenset({"length", "content_filter"})


async def record_run(chat: Session, agent: SupportsAgentRun, context: SessionContext) -> None:
    """Store the answer of a run as a response; a failure is logged.

    Args:
        chat: the session.
        agent: the agent that ran.
        context: of the run, with its response.
    """
    response = context.response
    if response is not None and response.messages:
        await record_responses.arecord(chat, _response(agent, context.input_messages, response))


def _response(
    agent: SupportsAgentRun, inputs: Sequence[Message], response: AgentResponse[Any]
) -> dict[str, Any]:
    finish_reason = response.finish_reason
    extra_fields = {"finish_reason": finish_reason, "agent": agent.name}
    return {
        "id": response.response_id,
        "model": _model(response),
        "status": "incomplete" if finish_reason in _CUT_OFF else "completed",
        "input": [entry for entry in _entries(inputs) if entry.get("role") in INPUT_ROLES],
        "output": [entry for entry in _entries(response.messages) if not _is_result(entry)],
        "usage": usage_of(response.usage_details),
        "extra": {key: text for key, text in extra_fields.items() if isinstance(text, str)},
    }


def _entries(messages: Sequence[Message]) -> list[dict[str, Any]]:
    return Window([item for message in messages for item in to_items(message)]).to_responses()


def _is_result(entry: dict[str, Any]) -> bool:
    return str(entry.get("type")).endswith("_output")


def _model(response: AgentResponse[Any]) -> str | None:
    raw_response = response.raw_representation
    model = raw_response.model if isinstance(raw_response, ChatResponse) else None
    return model if isinstance(model, str) else None
