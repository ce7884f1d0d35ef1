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
        **{name: request.get(name) for name in _ECHOED},
        "tools": request.get("tools") or [],
        "usage": {**usage, **reply.usage},
    }


def _output(reply: ScriptedReply, key: str) -> list[Body]:
    texts = [reply.content] if reply.content is not None else []
    calls = [
        {
            "type": "function_call",
            "id": identifier("fc", f"{key}/{number}"),
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
            "status": "completed",
        }
        for number, call in enumerate(reply.calls)
    ]
    return [_message(text, key) for text in texts] + calls


def _message(text: str, key: str) -> Body:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {
        "type": "message",
        "id": identifier("msg", key),
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }


def response_events(reply: ScriptedReply, request: Request, key: str) -> Iterator[str]:
    """The same answer with `stream=True`, as server-sent events."""
    for number, (name, data) in enumerate(_events(response(reply, request, key))):
        yield event({"type": name, "sequence_number": number, **data}, name)


def _events(body: Body) -> Iterator[tuple[str, Body]]:
    started = {**body, "status": "in_progress", "output": [], "usage": None}
    yield "response.created", {"response": started}
    yield "response.in_progress", {"response": started}
    for index, item in enumerate(body["output"]):
        position = {"output_index": index}
        yield "response.output_item.added", {**position, "item": _started_item(item)}
        yield from _item_events(item, {**position, "item_id": item["id"]})
        yield "response.output_item.done", {**position, "item": item}
    yield "response.completed", {"response": body}


def _started_item(item: Body) -> Body:
    empty: dict[str, Any] = {"arguments": ""} if "arguments" in item else {"content": []}
    return {**item, "status": "in_progress", **empty}


def _item_events(item: Body, position: Body) -> Iterator[tuple[str, Body]]:
    if item["type"] == "function_call":
        for piece in pieces(item["arguments"]):
            yield "response.function_call_arguments.delta", {**position, "delta": piece}
        function_fields = {"name": item["name"], "arguments": item["arguments"]}
        yield "response.function_call_arguments.done", {**position, **function_fields}
        return
    part, position = item["content"][0], {**position, "content_index": 0}
    yield "response.content_part.added", {**position, "part": {**part, "text": ""}}
    for piece in pieces(part["text"]):
        yield "response.output_text.delta", {**position, "delta": piece, "logprobs": []}
    yield "response.output_text.done", {**position, "text": part["text"], "logprobs": []}
    yield "response.content_part.done", {**position, "part": part}
