"""Chat Completions of servers other than OpenAI: their fields and rules, as `chat` names them.

Sources: [deepseek] the guide to thinking mode of DeepSeek's API, which Kimi and Qwen follow;
[openrouter] its guide to preserving reasoning; [gemini] Google's pages on thought signatures and on
OpenAI compatibility; [vllm] its page on reasoning outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from threadkeep.testing.validity.checks import Check, array, fail, shape, string

_TEXT = string("continuation")
_SIGNED = shape(
    {"google": shape({}, {"thought_signature": string("signature", min_length=1)}, extra=True)},
    extra=True,
    rule="continuation",
)
_DETAILS = array(
    shape({"type": string("continuation", min_length=1)}, extra=True, rule="continuation"),
    rule="continuation",
)


class Server(NamedTuple):
    """What a server takes beyond OpenAI.

    Attributes:
        message_fields: of an assistant's message.
        call_fields: of a tool call.
        other_parts: whether it knows types of parts that OpenAI does not.
    """

    message_fields: Mapping[str, Check]
    call_fields: Mapping[str, Check]
    other_parts: bool


_SIGNATURE = {"extra_content": _SIGNED}
_REASONING = {"reasoning": _TEXT, "reasoning_content": _TEXT}
SERVERS: Mapping[str | None, Server] = {
    "openai": Server({}, {}, False),
    "deepseek": Server({"reasoning_content": _TEXT}, {}, True),
    "gemini": Server(_SIGNATURE, _SIGNATURE, True),
    "openrouter": Server({**_REASONING, "reasoning_details": _DETAILS}, {}, True),
    "vllm": Server(_REASONING, {}, True),
    None: Server({**_REASONING, **_SIGNATURE, "reasoning_details": _DETAILS}, _SIGNATURE, True),
}
"""The servers by profile; `None` = any of them."""


def check_continuation(messages: list[dict[str, Any]], profile: str | None) -> None:
    """Raise an AssertionError where a server misses what its model needs to go on."""
    if profile == "deepseek":
        _check_thoughts(messages)
    elif profile == "gemini":
        _check_signatures(messages)
    elif profile is None:
        _check_one_writer(messages)


def _check_thoughts(messages: list[dict[str, Any]]) -> None:
    for message_index, message in enumerate(messages):
        if message.get("tool_calls") and "reasoning_content" not in message:
            fail("thoughts", f"messages[{message_index}]", "calls need their reasoning_content")


def _check_signatures(messages: list[dict[str, Any]]) -> None:
    roles = [message["role"] for message in messages]
    newest_user_index = max((n for n, role in enumerate(roles) if role == "user"), default=-1)
    for message_index, message in enumerate(
        messages[newest_user_index + 1 :], start=newest_user_index + 1
    ):
        for first_call in message.get("tool_calls", ())[:1]:
            google_fields = first_call.get("extra_content", {}).get("google", {})
            if not google_fields.get("thought_signature"):
                location = f"messages[{message_index}].tool_calls[0]"
                fail("signature", location, "the first call of the running turn is not signed")


def _check_one_writer(messages: list[dict[str, Any]]) -> None:
    writers = {writer for message in messages if (writer := _writer(message))}
    if len(writers) > 1:
        fail("writer", "messages", f"continuation fields of several: {', '.join(sorted(writers))}")


def _writer(message: dict[str, Any]) -> str:
    if "extra_content" in message or any(
        "extra_content" in tool_call for tool_call in message.get("tool_calls", ())
    ):
        return "gemini"
    if "reasoning_details" in message:
        return "openrouter"
    return "deepseek or vllm" if {"reasoning", "reasoning_content"} & message.keys() else ""
