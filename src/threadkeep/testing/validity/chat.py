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

Other servers speak the same shape and add to it; which one it is says `profile`. Without one,
their fields and parts of new types pass as well (`chat_profiles` has the sources):

- `continuation`: reasoning_content, reasoning, reasoning_details and extra_content are of their
  types, and only where the server takes them.
- `writer`: without a profile they are those of one server.
- `thoughts`: for `deepseek`, an assistant message with calls has its reasoning_content, which may
  be empty.
- `signature`: for `gemini`, the first call of each message behind the user's newest one has its
  thought signature.

Not judged: what depends on the model or the account (which media it takes, sizes, context length),
and whether arguments are well-formed JSON, which models themselves do not guarantee.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadkeep.testing.validity.chat_profiles import SERVERS, Server, check_continuation
from threadkeep.testing.validity.checks import (
    Check,
    any_value,
    array,
    by_type,
    fail,
    instance,
    json_messages,
    maybe,
    one_of,
    one_present,
    shape,
    shorten,
    string,
    text_or_list,
)

_TYPE = {"type": any_value}
_PART = {"prompt_cache_breakpoint": any_value}

_TEXT = shape({**_TYPE, "text": string("parts")}, _PART, rule="parts")
_REFUSAL = shape({**_TYPE, "refusal": string("parts")}, rule="parts")
_IMAGE_URL = shape(
    {"url": string("parts", pattern=r"(?s)(https?://|data:).+")},
    {"detail": one_of("auto", "low", "high", "original", rule="parts")},
    rule="parts",
)
_AUDIO = shape(
    {"data": string("parts", min_length=1), "format": one_of("wav", "mp3", rule="parts")},
    rule="parts",
)
_FILE_KEYS = dict.fromkeys(("file_data", "file_id", "filename"), string("parts"))
_FILE = one_present(("file_data", "file_id"), shape({}, _FILE_KEYS, rule="parts"), "parts")

_CALL_ID = string("call", min_length=1, max_length=40)
_TOOL_NAME = string("call", min_length=1, max_length=64, pattern=r"[a-zA-Z0-9_-]+")
_FUNCTION = shape({"name": _TOOL_NAME, "arguments": string("call")}, rule="call")
_CUSTOM = shape({"name": _TOOL_NAME, "input": string("call")}, rule="call")
_ROLE = {"role": any_value}
_NAME = {"name": string("name", min_length=1, max_length=64, pattern=r"[^\s<|\\/>]+")}
_CONTENT_ALTERNATIVES = ("tool_calls", "function_call", "refusal", "audio")


def _call(server: Server) -> Check:
    id_fields = {**_TYPE, "id": _CALL_ID}
    return by_type(
        {
            "function": shape(
                {**id_fields, "function": _FUNCTION}, server.call_fields, rule="call"
            ),
            "custom": shape({**id_fields, "custom": _CUSTOM}, server.call_fields, rule="call"),
        },
        "call",
    )


def _user_parts(server: Server) -> Check:
    url_shape = shape({"url": string("parts")}, extra=True, rule="parts")
    video_fields = {"video_url": shape({**_TYPE, "video_url": url_shape}, rule="parts")}
    return by_type(
        {
            "text": _TEXT,
            "image_url": shape({**_TYPE, "image_url": _IMAGE_URL}, _PART, rule="parts"),
            "input_audio": shape({**_TYPE, "input_audio": _AUDIO}, _PART, rule="parts"),
            "file": shape({**_TYPE, "file": _FILE}, _PART, rule="parts"),
            **(video_fields if server.other_parts else {}),
        },
        "parts",
        new=server.other_parts,
    )


def _assistant(server: Server) -> Check:
    part_check = by_type({"text": _TEXT, "refusal": _REFUSAL}, "parts", new=server.other_parts)
    return shape(
        _ROLE,
        {
            **_NAME,
            "content": maybe(text_or_list(part_check)),
            "tool_calls": array(_call(server), min_length=1, rule="call"),
            "function_call": maybe(_FUNCTION),
            "refusal": maybe(string()),
            "audio": maybe(shape({"id": string()}, extra=True)),
            "annotations": maybe(instance(list)),
            **server.message_fields,
        },
    )


def _roles(server: Server) -> Mapping[str, Check]:
    text_check = text_or_list(by_type({"text": _TEXT}, "parts", new=server.other_parts))
    system_shape = shape({**_ROLE, "content": text_check}, _NAME)
    return {
        "system": system_shape,
        "developer": system_shape,
        "user": shape({**_ROLE, "content": text_or_list(_user_parts(server))}, _NAME),
        "tool": shape({**_ROLE, "content": text_check, "tool_call_id": _CALL_ID}, _NAME),
        "function": shape({**_ROLE, "content": maybe(string("content")), "name": _TOOL_NAME}),
        "assistant": _assistant(server),
    }


_ROLES = {profile: _roles(server) for profile, server in SERVERS.items()}


def check_prompt(messages: Any, system: Any, profile: str | None = None) -> None:
    """Raise an AssertionError at the first broken rule of this module's docstring."""
    if system is not None:
        fail("system", "system", "Chat Completions takes its system prompt as a message")
    json_messages("messages", messages)
    for message_index, message in enumerate(messages):
        _check_message(f"messages[{message_index}]", message, _ROLES[profile])
    _check_answers(messages)
    check_continuation(messages, profile)


def _check_message(location: str, message: dict[str, Any], roles: Mapping[str, Check]) -> None:
    role = message.get("role")
    if not isinstance(role, str) or role not in roles:
        fail("role", location, f"role {shorten(role)} is none of {', '.join(roles)}")
    roles[role](location, message)
    if role == "assistant":
        _check_assistant(location, message)


def _check_assistant(location: str, message: dict[str, Any]) -> None:
    if message.get("content") is None and not any(
        message.get(content_key) for content_key in _CONTENT_ALTERNATIVES
    ):
        fail(
            "content",
            location,
            f"content may be null only with one of {', '.join(_CONTENT_ALTERNATIVES)}",
        )
    call_ids: set[str] = set()
    for tool_call in message.get("tool_calls", ()):
        if tool_call["id"] in call_ids:
            fail("ids", location, f"two calls have the id {shorten(tool_call['id'])}")
        call_ids.add(tool_call["id"])


def _check_answers(messages: list[dict[str, Any]]) -> None:
    caller_index, is_open_by_id = (
        0,
        dict[str, bool](),
    )  # the assistant message, and its calls: still missing?
    for message_index, message in enumerate(messages):
        if message["role"] == "tool":
            _close_call(f"messages[{message_index}]", message["tool_call_id"], is_open_by_id)
            continue
        _check_complete(caller_index, is_open_by_id)
        caller_index = message_index
        is_open_by_id = {tool_call["id"]: True for tool_call in message.get("tool_calls", ())}
    if caller_index != len(messages) - 1:
        _check_complete(caller_index, is_open_by_id)


def _close_call(location: str, call_id: str, is_open_by_id: dict[str, bool]) -> None:
    if call_id not in is_open_by_id:
        fail(
            "orphan",
            location,
            f"{shorten(call_id)} is not a call of the assistant message before it",
        )
    if not is_open_by_id[call_id]:
        fail("twice", location, f"the call {shorten(call_id)} is answered already")
    is_open_by_id[call_id] = False


def _check_complete(caller_index: int, is_open_by_id: dict[str, bool]) -> None:
    for call_id, is_open in is_open_by_id.items():
        if is_open:
            fail(
                "unanswered",
                f"messages[{caller_index}]",
                f"no answer to the call {shorten(call_id)}",
            )
