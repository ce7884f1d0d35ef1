"""Continuation state of OpenAI-compatible servers: what their models need back to go on.

Servers add fields to the messages of Chat Completions: thoughts in plain text, encrypted reasoning,
signatures of calls. The server that wrote them needs them, and others may refuse them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.messages.tool_groups import speaker
from threadkeep.printable import shown
from threadkeep.types import Item

Profile: TypeAlias = Literal["openai", "deepseek", "gemini", "openrouter", "vllm"]
"""The server that a prompt of Chat Completions is for; Kimi and Qwen are as `deepseek`."""

FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "openai": frozenset(),
    "deepseek": frozenset({"reasoning_content"}),
    "gemini": frozenset({"extra_content"}),
    "openrouter": frozenset({"reasoning", "reasoning_content", "reasoning_details"}),
    "vllm": frozenset({"reasoning", "reasoning_content"}),
}
"""The fields of messages, and of their calls, that each server takes."""

ALL_FIELDS: Final = frozenset().union(*FIELDS.values())
CALL_FIELDS: Final = frozenset({"extra_content"})
FORMAT: Final = "openai-chat/1"
_LANGCHAIN: Final = "langchain/1"

UNSIGNED: Final = {
    "extra_content": {"google": {"thought_signature": "skip_thought_signature_validator"}}
}
"""What Google's page on thought signatures says to send with a call that Gemini did not write."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """The fields of one message, and of each of its calls."""

    message: Mapping[str, Any]
    calls: Sequence[Mapping[str, Any]]


def check_profile(profile: str | None) -> None:
    """Check that a profile is known.

    Raises:
        ConfigError: it is not.
    """
    if profile is not None and profile not in FIELDS:
        raise ConfigError(
            f"profile {shown(profile)} is unknown{did_you_mean(str(profile), FIELDS)}"
        )


def continuation_of(item: Item) -> Continuation | None:
    """The continuation state in an item that Chat Completions wrote; `None` if there is none."""
    raw_payload = _payload(item)
    state_fields = {
        key: raw_payload[key]
        for key in ALL_FIELDS & raw_payload.keys()
        if _is_valid(key, raw_payload)
    }
    state_fields |= _thoughts(item)
    raw_calls = raw_payload.get("tool_calls")
    call_states: list[dict[str, Any]] = []
    if isinstance(raw_calls, list) and len(raw_calls) == len(item.tool_calls):
        call_states = [
            {key: call[key] for key in CALL_FIELDS & call.keys()} if _is_signed(call) else {}
            for call in raw_calls
        ]
    call_states = call_states if any(call_states) else []
    return Continuation(state_fields, call_states) if state_fields or call_states else None


def sole_writer(items: Sequence[Item]) -> bool:
    """Return True if all of a model's messages hold the continuation state of one server.

    Gemini signs calls, and not every text: its messages without calls say nothing.
    """
    for item in items:  # a loop, since nearly all windows end here
        if item.raw is not None or type(item.content) is not str:
            break
    else:
        return False
    writers: set[str] = set()
    has_stateless_message = has_unsigned_calls = False
    for item in items:
        if item.role in {"tool", "function"} or speaker(item) != "assistant":
            continue
        continuation = None if _is_bare(item) else continuation_of(item)
        if continuation is not None:
            writers.add(_writer(continuation))
        elif item.tool_calls:
            has_unsigned_calls = True
        else:
            has_stateless_message = True
    return (
        len(writers) == 1
        and not has_unsigned_calls
        and (writers == {"gemini"} or not has_stateless_message)
    )


def add_continuation(message: dict[str, Any], item: Item, profile: str | None) -> dict[str, Any]:
    """The message with the state that the server of the profile takes; `None` = all of it.

    Args:
        message: as OpenAI takes it.
        item: the item that it was made of.
        profile: the server.
    """
    allowed_fields = ALL_FIELDS if profile is None else FIELDS[profile]
    continuation = continuation_of(item)
    if continuation is not None:
        state_fields = {
            key: value for key, value in continuation.message.items() if key in allowed_fields
        }
        message = {**message, **state_fields}
        if continuation.calls and allowed_fields & CALL_FIELDS and message.get("tool_calls"):
            call_pairs = zip(message["tool_calls"], continuation.calls, strict=True)
            message["tool_calls"] = [{**call, **call_state} for call, call_state in call_pairs]
    return message


def complete(messages: list[dict[str, Any]], profile: str | None) -> list[dict[str, Any]]:
    """The messages with what a server insists on, where another model made the calls."""
    if profile == "deepseek":
        return [
            {"reasoning_content": "", **message} if message.get("tool_calls") else message
            for message in messages
        ]
    return _with_signed_calls(messages) if profile == "gemini" else messages


def _with_signed_calls(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages with a signature for the first call of each behind the user's newest."""
    signed_messages = list(messages)
    for message_number in range(len(messages) - 1, -1, -1):
        if messages[message_number]["role"] == "user":
            break
        tool_calls = messages[message_number].get("tool_calls")
        if tool_calls and not _is_signed(tool_calls[0]):
            signed_calls = [{**tool_calls[0], **UNSIGNED}, *tool_calls[1:]]
            signed_messages[message_number] = {
                **messages[message_number],
                "tool_calls": signed_calls,
            }
    return signed_messages


def without_call_fields(message: Mapping[str, Any]) -> dict[str, Any]:
    """The message as OpenAI takes it: its calls without continuation state."""
    tool_calls = message.get("tool_calls")
    if not isinstance(tool_calls, list) or not any(_is_signed(call) for call in tool_calls):
        return dict(message)
    calls_without_state = [
        {key: value for key, value in call.items() if key not in CALL_FIELDS}
        if _is_signed(call)
        else call
        for call in tool_calls
    ]
    return {**message, "tool_calls": calls_without_state}


def _is_signed(call: Any) -> bool:
    return isinstance(call, Mapping) and any(
        isinstance(call.get(call_field), Mapping) for call_field in CALL_FIELDS
    )


def _payload(item: Item) -> Mapping[str, Any]:
    raw_envelope = item.raw
    raw_payload = raw_envelope.get("data") if raw_envelope is not None else None
    if raw_envelope is None or not isinstance(raw_payload, Mapping):
        return {}
    if raw_envelope.get("format") == _LANGCHAIN:
        return _langchain_payload(raw_payload, item)
    return raw_payload if raw_envelope.get("format") == FORMAT else {}


def _langchain_payload(dump: Mapping[str, Any], item: Item) -> Mapping[str, Any]:
    """The fields where LangChain's classes for these servers keep them."""
    extra_kwargs = dump.get("additional_kwargs")
    if not isinstance(extra_kwargs, Mapping):
        return {}
    signatures = extra_kwargs.get("__gemini_function_call_thought_signatures__")
    if not isinstance(signatures, Mapping):
        return extra_kwargs
    call_signatures = [signatures.get(tool_call.get("id")) for tool_call in item.tool_calls]
    call_states = [
        {"extra_content": {"google": {"thought_signature": signature}}}
        if isinstance(signature, str)
        else {}
        for signature in call_signatures
    ]
    return {**extra_kwargs, "tool_calls": call_states}


def _is_valid(key: str, payload: Mapping[str, Any]) -> bool:
    type_by_field = {"reasoning_details": list, "extra_content": Mapping}
    return isinstance(payload[key], type_by_field.get(key, str))


def _thoughts(item: Item) -> dict[str, Any]:
    """The thoughts that stand in a block of the content, which says from which field they came."""
    if isinstance(item.content, str):
        return {}
    for block in item.content:
        extras = block.get("extras") if block["type"] == "reasoning" else None
        if isinstance(extras, Mapping) and extras.get("field") == "reasoning_content":
            return {"reasoning_content": block["reasoning"]}
    return {}


def _is_bare(item: Item) -> bool:
    return item.raw is None and isinstance(item.content, str)


def _writer(continuation: Continuation) -> str:
    if continuation.calls or "extra_content" in continuation.message:
        return "gemini"
    return "openrouter" if "reasoning_details" in continuation.message else "plain thoughts"
