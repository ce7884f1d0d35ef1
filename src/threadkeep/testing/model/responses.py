"""The bodies of the Responses endpoint."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from threadkeep.testing.model.bodies import Body, event, pieces, token_counts
from threadkeep.testing.model.script import Request, Turn, identifier

_ECHOED = ("instructions", "metadata", "previous_response_id", "temperature", "tools")


def response(turn: Turn, request: Request, key: str) -> Body:
    """The answer of `POST /v1/responses`."""
    asked, said = token_counts(turn, request)
    usage = {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": said,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": asked + said,
    }
    return {
        "id": identifier("resp", key),
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": request.get("model", "scripted"),
        "output": _output(turn, key),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        **{name: request.get(name) for name in _ECHOED},
        "tools": request.get("tools") or [],
        "usage": {**usage, **turn.usage},
    }


def _output(turn: Turn, key: str) -> list[Body]:
    texts = [turn.content] if turn.content is not None else []
    calls = [
        {
            "type": "function_call",
            "id": identifier("fc", f"{key}/{number}"),
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
            "status": "completed",
        }
        for number, call in enumerate(turn.calls)
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


def response_events(turn: Turn, request: Request, key: str) -> Iterator[str]:
    """The same answer with `stream=True`, as server-sent events."""
    for number, (name, data) in enumerate(_events(response(turn, request, key))):
        yield event({"type": name, "sequence_number": number, **data}, name)


def _events(whole: Body) -> Iterator[tuple[str, Body]]:
    started = {**whole, "status": "in_progress", "output": [], "usage": None}
    yield "response.created", {"response": started}
    yield "response.in_progress", {"response": started}
    for index, item in enumerate(whole["output"]):
        at = {"output_index": index}
        yield "response.output_item.added", {**at, "item": _begun(item)}
        yield from _item_events(item, {**at, "item_id": item["id"]})
        yield "response.output_item.done", {**at, "item": item}
    yield "response.completed", {"response": whole}


def _begun(item: Body) -> Body:
    empty: dict[str, Any] = {"arguments": ""} if "arguments" in item else {"content": []}
    return {**item, "status": "in_progress", **empty}


def _item_events(item: Body, at: Body) -> Iterator[tuple[str, Body]]:
    if item["type"] == "function_call":
        for piece in pieces(item["arguments"]):
            yield "response.function_call_arguments.delta", {**at, "delta": piece}
        told = {"name": item["name"], "arguments": item["arguments"]}
        yield "response.function_call_arguments.done", {**at, **told}
        return
    part, at = item["content"][0], {**at, "content_index": 0}
    yield "response.content_part.added", {**at, "part": {**part, "text": ""}}
    for piece in pieces(part["text"]):
        yield "response.output_text.delta", {**at, "delta": piece, "logprobs": []}
    yield "response.output_text.done", {**at, "text": part["text"], "logprobs": []}
    yield "response.content_part.done", {**at, "part": part}
