r"""OpenAI Chat Completions: is this list of `messages` a valid prompt?

Sources: [ref] the API reference of `POST /v1/chat/completions` and the request types that the
`openai` package generates from it; [err] the service's own answers with status 400, as quoted in
public issues.

- `list`: a non-empty list of dicts ([err] "Invalid 'messages': empty array").
- `json`: can be sent as JSON in UTF-8: no other types, no NaN, no lone surrogates (RFC 8259).
- `role`: system, developer, user, assistant, tool, or the outdated function ([ref]).
- `keys`: no keys but those of the role's message ([err] "Unknown parameter: 'messages[1]...'").
- `fields`: every required key is there and of its type ([ref]).
- `content`: a string or a non-empty list of parts; null or absent only in an assistant message
  that has tool calls, a refusal or audio instead ([err] "Invalid value for 'content': expected a
  string, got null", "Invalid 'messages[4].content': empty array").
- `parts`: user: text, image_url (http, https or data URL), input_audio (wav, mp3), file;
  assistant: text, refusal; system, developer, tool: text ([ref]).
- `name`: 1 to 64 characters, no space and none of `<|\/>` ([err] "Invalid 'messages[1].name':
  string does not match pattern"). The tool's name in a tool message is no part of [ref], but stood
  in OpenAI's own first examples of tool calls, and is accepted.
- `call`: `tool_calls`, if there, is a non-empty list; each has a type, an id of 1 to 40 characters
  and a function with a name `[a-zA-Z0-9_-]{1,64}` and its arguments as one string, or a custom tool
  with its input ([err] "Invalid 'messages[1].tool_calls': empty array", "... [0].id: string too
  long. Expected a string with maximum length 40", "... function.name: does not match pattern").
- `ids`: call ids are unique within a message (answers could not be told apart; threadkeep's own
  reading of [ref], the service does not promise an error).
- `orphan`: a tool message answers a call of the assistant message whose block it stands in ([err]
  "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'").
- `twice`: a call is answered once ([ref]; as `ids`).
- `unanswered`: every call is answered before the next message that is no tool message ([err] "An
  assistant message with 'tool_calls' must be followed by tool messages responding to each
  'tool_call_id'"). Calls may stay open, all of them, only in the very last message: that is a
  pending interrupt, a valid history which the service itself takes once it is answered.
- `system`: there is no system prompt beside the messages ([ref]).

Not judged: what depends on the model or the account (which media it takes, sizes, context length),
and whether arguments are well-formed JSON, which models themselves do not guarantee.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadkeep.testing.validity.checks import (
    Check,
    anything,
    array,
    by_type,
    fail,
    instance,
    maybe,
    one_of,
    one_present,
    shape,
    short,
    string,
    text_or_list,
    wire,
)

_TYPE = {"type": anything}
_PART = {"prompt_cache_breakpoint": anything}

_TEXT = shape({**_TYPE, "text": string("parts")}, _PART, rule="parts")
_REFUSAL = shape({**_TYPE, "refusal": string("parts")}, rule="parts")
_IMAGE_URL = shape(
    {"url": string("parts", pattern=r"(?s)(https?://|data:).+")},
    {"detail": one_of("auto", "low", "high", "original", rule="parts")},
    rule="parts",
)
_AUDIO = shape(
    {"data": string("parts", least=1), "format": one_of("wav", "mp3", rule="parts")}, rule="parts"
)
_FILE_KEYS = dict.fromkeys(("file_data", "file_id", "filename"), string("parts"))
_FILE = one_present(("file_data", "file_id"), shape({}, _FILE_KEYS, rule="parts"), "parts")

_TEXT_PARTS = by_type({"text": _TEXT}, "parts")
_ASSISTANT_PARTS = by_type({"text": _TEXT, "refusal": _REFUSAL}, "parts")
_USER_PARTS = by_type(
    {
        "text": _TEXT,
        "image_url": shape({**_TYPE, "image_url": _IMAGE_URL}, _PART, rule="parts"),
        "input_audio": shape({**_TYPE, "input_audio": _AUDIO}, _PART, rule="parts"),
        "file": shape({**_TYPE, "file": _FILE}, _PART, rule="parts"),
    },
    "parts",
)

_CALL_ID = string("call", least=1, most=40)
_TOOL_NAME = string("call", least=1, most=64, pattern=r"[a-zA-Z0-9_-]+")
_FUNCTION = shape({"name": _TOOL_NAME, "arguments": string("call")}, rule="call")
_CUSTOM = shape({"name": _TOOL_NAME, "input": string("call")}, rule="call")
_CALL = by_type(
    {
        "function": shape({**_TYPE, "id": _CALL_ID, "function": _FUNCTION}, rule="call"),
        "custom": shape({**_TYPE, "id": _CALL_ID, "custom": _CUSTOM}, rule="call"),
    },
    "call",
)


_ROLE = {"role": anything}
_NAME = {"name": string("name", least=1, most=64, pattern=r"[^\s<|\\/>]+")}
_SYSTEM = shape({**_ROLE, "content": text_or_list(_TEXT_PARTS)}, _NAME)
_INSTEAD = ("tool_calls", "function_call", "refusal", "audio")
_ROLES: Mapping[str, Check] = {
    "system": _SYSTEM,
    "developer": _SYSTEM,
    "user": shape({**_ROLE, "content": text_or_list(_USER_PARTS)}, _NAME),
    "tool": shape({**_ROLE, "content": text_or_list(_TEXT_PARTS), "tool_call_id": _CALL_ID}, _NAME),
    "function": shape({**_ROLE, "content": maybe(string("content")), "name": _TOOL_NAME}),
    "assistant": shape(
        _ROLE,
        {
            **_NAME,
            "content": maybe(text_or_list(_ASSISTANT_PARTS)),
            "tool_calls": array(_CALL, least=1, rule="call"),
            "function_call": maybe(_FUNCTION),
            "refusal": maybe(string()),
            "audio": maybe(shape({"id": string()}, extra=True)),
            "annotations": maybe(instance(list)),
        },
    ),
}


def judge(messages: Any, system: Any) -> None:
    """Raise an AssertionError at the first broken rule of this module's docstring."""
    if system is not None:
        fail("system", "system", "Chat Completions takes its system prompt as a message")
    wire("messages", messages)
    for position, message in enumerate(messages):
        _check_message(f"messages[{position}]", message)
    _check_answers(messages)


def _check_message(at: str, message: dict[str, Any]) -> None:
    role = message.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        fail("role", at, f"role {short(role)} is none of {', '.join(_ROLES)}")
    _ROLES[role](at, message)
    if role == "assistant":
        _check_assistant(at, message)


def _check_assistant(at: str, message: dict[str, Any]) -> None:
    if message.get("content") is None and not any(message.get(key) for key in _INSTEAD):
        fail("content", at, f"content may be null only with one of {', '.join(_INSTEAD)}")
    seen: set[str] = set()
    for call in message.get("tool_calls", ()):
        if call["id"] in seen:
            fail("ids", at, f"two calls have the id {short(call['id'])}")
        seen.add(call["id"])


def _check_answers(messages: list[dict[str, Any]]) -> None:
    asked, missing = 0, dict[str, bool]()  # the assistant message, and its calls: still missing?
    for position, message in enumerate(messages):
        if message["role"] == "tool":
            _answer(f"messages[{position}]", message["tool_call_id"], missing)
            continue
        _check_complete(asked, missing)
        asked = position
        missing = {call["id"]: True for call in message.get("tool_calls", ())}
    if asked != len(messages) - 1:
        _check_complete(asked, missing)


def _answer(at: str, call_id: str, missing: dict[str, bool]) -> None:
    if call_id not in missing:
        fail("orphan", at, f"{short(call_id)} is no call of the assistant message before it")
    if not missing[call_id]:
        fail("twice", at, f"the call {short(call_id)} is answered already")
    missing[call_id] = False


def _check_complete(asked: int, missing: dict[str, bool]) -> None:
    for call_id, open_ in missing.items():
        if open_:
            fail("unanswered", f"messages[{asked}]", f"no answer to the call {short(call_id)}")
