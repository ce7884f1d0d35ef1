"""The bodies of the Responses endpoint."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from threadkeep.testing.model.bodies import Body, event, pieces, token_counts
from threadkeep.testing.model.script import Request, ScriptedReply, identifier

_ECHOED = ("instructions", "metadata", "previous_response_id", "temperature", "tools")


def response(reply: ScriptedReply, request: Request, key: str) -> Body:
    """The answer of `POST /v1/responses`."""
    input_tokens, output_tokens = token_counts(reply, request)
    usage = {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input_tokens + output_tokens,
    }
    return {
        "id": identifier("resp", key),
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": request.get("model", "scripted"),
        "output": _output(reply, key),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        **{field_name: request.get(field_name) for field_name in _ECHOED},
        "tools": request.get("tools") or [],
        "usage": {**usage, **reply.usage},
    }


def _output(reply: ScriptedReply, key: str) -> list[Body]:
    message_texts = [reply.content] if reply.content is not None else []
    call_items = [
        {
            "type": "function_call",
            "id": identifier("fc", f"{key}/{call_index}"),
            "call_id": tool_call.id,
            "name": tool_call.name,
            "arguments": tool_call.arguments,
            "status": "completed",
        }
        for call_index, tool_call in enumerate(reply.calls)
    ]
    return [_message(message_text, key) for message_text in message_texts] + call_items


def _message(text: str, key: str) -> Body:
    text_part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {
        "type": "message",
        "id": identifier("msg", key),
        "role": "assistant",
        "status": "completed",
        "content": [text_part],
    }


def response_events(reply: ScriptedReply, request: Request, key: str) -> Iterator[str]:
    """The same answer with `stream=True`, as server-sent events."""
    for sequence_number, (event_name, event_data) in enumerate(
        _events(response(reply, request, key))
    ):
        yield event(
            {"type": event_name, "sequence_number": sequence_number, **event_data}, event_name
        )


def _events(response_fields: Body) -> Iterator[tuple[str, Body]]:
    started_response = {**response_fields, "status": "in_progress", "output": [], "usage": None}
    yield "response.created", {"response": started_response}
    yield "response.in_progress", {"response": started_response}
    for output_index, output_item in enumerate(response_fields["output"]):
        position_fields = {"output_index": output_index}
        yield "response.output_item.added", {**position_fields, "item": _started_item(output_item)}
        yield from _item_events(output_item, {**position_fields, "item_id": output_item["id"]})
        yield "response.output_item.done", {**position_fields, "item": output_item}
    yield "response.completed", {"response": response_fields}


def _started_item(item: Body) -> Body:
    empty_fields: dict[str, Any] = {"arguments": ""} if "arguments" in item else {"content": []}
    return {**item, "status": "in_progress", **empty_fields}


def _item_events(item: Body, position: Body) -> Iterator[tuple[str, Body]]:
    if item["type"] == "function_call":
        for text_piece in pieces(item["arguments"]):
            yield "response.function_call_arguments.delta", {**position, "delta": text_piece}
        function_fields = {"name": item["name"], "arguments": item["arguments"]}
        yield "response.function_call_arguments.done", {**position, **function_fields}
        return
    text_part, position = item["content"][0], {**position, "content_index": 0}
    yield "response.content_part.added", {**position, "part": {**text_part, "text": ""}}
    for text_piece in pieces(text_part["text"]):
        yield "response.output_text.delta", {**position, "delta": text_piece, "logprobs": []}
    yield "response.output_text.done", {**position, "text": text_part["text"], "logprobs": []}
    yield "response.content_part.done", {**position, "part": text_part}
