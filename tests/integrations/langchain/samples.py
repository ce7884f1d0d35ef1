"""Messages of every type that LangChain has, with all that may be in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.tool import invalid_tool_call, tool_call

PNG = "iVBORw0KGgo" * 20
CALL = tool_call(name="weather", args={"city": "Lisbon"}, id="call_1")
USAGE = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}


def text_part(text):
    return {"type": "text", "text": text}


MESSAGES = {
    "human": HumanMessage("hi"),
    "human with id and name": HumanMessage("hi", id="m1", name="ada"),
    "no words": AIMessage(""),
    "system": SystemMessage("be kind"),
    "developer": SystemMessage("x", additional_kwargs={"__openai_role__": "developer"}),
    "answer": AIMessage(
        "hello",
        id="lc_run--1",
        usage_metadata={**USAGE, "input_token_details": {"cache_read": 2}},
        response_metadata={"model_name": "gpt-5", "logprobs": None, "finish_reason": "stop"},
    ),
    "call": AIMessage("", tool_calls=[CALL]),
    "call without an id": AIMessage("", tool_calls=[tool_call(name="f", args={}, id=None)]),
    "invalid call": AIMessage(
        "", invalid_tool_calls=[invalid_tool_call(name="f", args="{", id="c", error="not JSON")]
    ),
    "legacy call": AIMessage(
        "", additional_kwargs={"function_call": {"name": "f", "arguments": "{}"}}
    ),
    "result": ToolMessage("21", tool_call_id="call_1", name="weather"),
    "failed result": ToolMessage("no", tool_call_id="call_1", status="error"),
    "result with JSON artifact": ToolMessage("x", tool_call_id="c", artifact={"rows": [1, None]}),
    "result with documents": ToolMessage(
        "x", tool_call_id="c", artifact=[Document("text", id="d", metadata={"page": 3})]
    ),
    "result with odd artifact": ToolMessage(
        "x", tool_call_id="c", artifact={"s": {1, 2}, "b": b"\0\xff", "t": (1, [2]), 5: "five"}
    ),
    "dates": AIMessage("x", response_metadata={"at": datetime(2026, 1, 2, tzinfo=UTC)}),
    "log probabilities": AIMessage("x", response_metadata={"p": float("-inf"), "q": 1.0}),
    "chat": ChatMessage("x", role="narrator"),
    "chat as a user": ChatMessage("x", role="user"),
    "chat without a role": ChatMessage("x", role=""),
    "function": FunctionMessage("x", name="f"),
    "remove": RemoveMessage(id="m1"),
    "more fields": HumanMessage("x", mood="good", example=True),
    "text parts": HumanMessage([{"type": "text", "text": "a"}, "b"]),
    "image by url": HumanMessage([{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]),
    "image data": HumanMessage(
        [{"type": "image_url",
          "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}}]
    ),
    "image of anthropic": HumanMessage(
        [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}]
    ),
    "blocks v1": HumanMessage(
        content_blocks=[
            {"type": "text", "text": "look", "annotations": []},
            {"type": "image", "base64": PNG, "mime_type": "image/png", "id": "i1"},
            {"type": "file", "url": "https://x/y.pdf"},
            {"type": "audio", "file_id": "f1"},
        ]
    ),
    "answer in blocks v1": AIMessage(
        content_blocks=[
            {"type": "reasoning", "reasoning": "hm " * 40, "extras": {"signature": "s"}},
            {"type": "text", "text": "done", "id": "msg_1", "annotations": [{"type": "citation"}]},
            CALL,
        ],
        response_metadata={"output_version": "v1"},
    ),
    "thinking of anthropic": AIMessage(
        [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}},
            {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Lisbon"}},
        ],
        tool_calls=[CALL],
        response_metadata={"model_provider": "anthropic"},
    ),
    "result of anthropic": ToolMessage(
        [{"type": "tool_result", "tool_use_id": "call_1", "content": [text_part("21")]}],
        tool_call_id="call_1",
    ),
    "parts without a type": AIMessage([{"text": "hi"}, {"image": {"bytes": b"\1"}}]),
    "unknown part": AIMessage([{"type": "hologram", "beam": [1, {"x": None}]}]),
    "no parts": AIMessage([]),
    "lone surrogate": HumanMessage("\ud83d"),
    "nul": HumanMessage("a\0b"),
}  # fmt: skip


def exactly(message):
    """All fields with their types: 1 is not True, and a list is no tuple."""
    fields = {**message.__dict__, **(message.__pydantic_extra__ or {})}
    return json.dumps({name: typed(value) for name, value in fields.items()}, sort_keys=True)


def typed(value):
    if isinstance(value, Document):
        return ["Document", typed(dict(value))]
    if isinstance(value, dict):
        return ["dict", sorted([repr(key), typed(entry)] for key, entry in value.items())]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(typed, value)]
    return repr(value)
