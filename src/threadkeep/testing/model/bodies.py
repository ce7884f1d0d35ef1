"""The bodies of OpenAI's answers: usage counts and errors, and the Chat Completions endpoint."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from threadkeep.testing.model.script import (
    ModelError,
    Request,
    ScriptedCall,
    ScriptedReply,
    identifier,
)

Body = dict[str, Any]


def error_body(error: ModelError, param: str | None = None) -> Body:
    """The error in the form the `openai` client reads."""
    error_type = "invalid_request_error" if error.status_code < 429 else "server_error"
    if error.status_code == 429:
        error_type = "rate_limit_error"
    return {"error": {"message": str(error), "type": error_type, "param": param, "code": None}}


def token_counts(reply: ScriptedReply, request: Request) -> tuple[int, int]:
    """Estimated tokens of prompt and answer: a quarter of their characters."""
    prompt_text = json.dumps(request.get("messages", request.get("input")), ensure_ascii=False)
    answer_text = (reply.content or "") + "".join(
        tool_call.name + tool_call.arguments for tool_call in reply.calls
    )
    return len(prompt_text) // 4 + 1, len(answer_text) // 4 + 1


def pieces(text: str) -> list[str]:
    """Split a text into words for streaming; joined again, they are the same text."""
    return re.findall(r"\s*\S+|\s+$", text) or ([text] if text else [])


def completion(reply: ScriptedReply, request: Request, key: str) -> Body:
    """The answer of `POST /v1/chat/completions`."""
    message: Body = {"role": "assistant", "content": reply.content, "refusal": None}
    if reply.calls:
        message["tool_calls"] = [_call(tool_call) for tool_call in reply.calls]
    choice = {
        "index": 0,
        "message": message,
        "finish_reason": _finish_reason(reply),
        "logprobs": None,
    }
    return {
        **_head("chat.completion", request, key),
        "choices": [choice],
        "usage": _usage(reply, request),
    }


def completion_chunks(reply: ScriptedReply, request: Request, key: str) -> Iterator[str]:
    """The same answer with `stream=True`, as server-sent events, the usage last if asked for."""
    chunk_head = _head("chat.completion.chunk", request, key)
    wants_usage = (request.get("stream_options") or {}).get("include_usage", False)
    usage = {"usage": None} if wants_usage else {}
    for delta, finish_reason in _deltas(reply):
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        yield event({**chunk_head, "choices": [choice], **usage})
    if wants_usage:
        yield event({**chunk_head, "choices": [], "usage": _usage(reply, request)})
    yield "data: [DONE]\n\n"


def event(data: Mapping[str, Any], name: str = "") -> str:
    """One server-sent event."""
    event_line = f"event: {name}\n" if name else ""
    return f"{event_line}data: {json.dumps(data)}\n\n"


def _deltas(reply: ScriptedReply) -> Iterator[tuple[Body, str | None]]:
    yield {"role": "assistant", "content": "" if reply.content else None}, None
    for content_piece in pieces(reply.content or ""):
        yield {"content": content_piece}, None
    for call_index, tool_call in enumerate(reply.calls):
        call_start = _call(tool_call)
        call_start["function"]["arguments"] = ""
        yield {"tool_calls": [{"index": call_index, **call_start}]}, None
        for content_piece in pieces(tool_call.arguments):
            yield (
                {"tool_calls": [{"index": call_index, "function": {"arguments": content_piece}}]},
                None,
            )
    yield {}, _finish_reason(reply)


def _head(kind: str, request: Request, key: str) -> Body:
    return {
        "id": identifier("chatcmpl", key),
        "object": kind,
        "created": int(time.time()),
        "model": request.get("model", "scripted"),
    }


def _call(scripted_call: ScriptedCall) -> Body:
    function_fields = {"name": scripted_call.name, "arguments": scripted_call.arguments}
    return {"id": scripted_call.id, "type": "function", "function": function_fields}


def _finish_reason(reply: ScriptedReply) -> str:
    return reply.finish_reason or ("tool_calls" if reply.calls else "stop")


def _usage(reply: ScriptedReply, request: Request) -> Body:
    prompt_tokens, completion_tokens = token_counts(reply, request)
    usage_counts = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }
    return {**usage_counts, **reply.usage}
