"""OpenAI Responses: what each type of input item looks like. The rules are named in `responses`."""

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
)

_TYPE = {"type": anything}
_STATUS = one_of("in_progress", "completed", "incomplete")
_CALL_ID = string("call", least=1, most=64)
_TOOL_NAME = string("call", least=1, most=128, pattern=r"[a-zA-Z0-9_-]+")


def _id(prefix: str) -> Check:
    return string("id", most=64, pattern=rf"{prefix}.*")


_PART = {"prompt_cache_breakpoint": anything}
_INPUT_IMAGE = one_present(
    ("image_url", "file_id"),
    shape(
        _TYPE,
        {
            **_PART,
            "image_url": maybe(string("parts", pattern=r"(?s)(https?://|data:).+")),
            "file_id": maybe(string("parts")),
            "detail": maybe(one_of("auto", "low", "high", "original", rule="parts")),
        },
        rule="parts",
    ),
    "parts",
)
_FILE_KEYS = ("file_data", "file_id", "file_url", "filename", "detail")
_INPUT_FILE = one_present(
    ("file_data", "file_id", "file_url"),
    shape(_TYPE, {**_PART, **dict.fromkeys(_FILE_KEYS, maybe(string("parts")))}, rule="parts"),
    "parts",
)
_INPUT_PARTS = by_type(
    {
        "input_text": shape({**_TYPE, "text": string("parts")}, _PART, rule="parts"),
        "input_image": _INPUT_IMAGE,
        "input_file": _INPUT_FILE,
    },
    "parts",
)
_OUTPUT_PARTS = by_type(
    {
        "output_text": shape(
            {**_TYPE, "text": string("parts")},
            {"annotations": instance(list, "parts"), "logprobs": anything},
            rule="parts",
        ),
        "refusal": shape({**_TYPE, "refusal": string("parts")}, rule="parts"),
    },
    "parts",
)


_MESSAGE_KEYS = {"type": anything, "id": _id("msg"), "status": _STATUS, "phase": anything}
_ROLE = {"role": anything}
_ASKING = shape({**_ROLE, "content": text_or_list(_INPUT_PARTS)}, _MESSAGE_KEYS)
_ANSWERING = shape({**_ROLE, "content": text_or_list(_OUTPUT_PARTS, least=0)}, _MESSAGE_KEYS)
_ROLES = {"user": _ASKING, "system": _ASKING, "developer": _ASKING, "assistant": _ANSWERING}


def _message(at: str, item: Any) -> None:
    role = item.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        fail("role", at, f"role {short(role)} is none of {', '.join(_ROLES)}")
    _ROLES[role](at, item)


def _texts(kind: str) -> Check:
    return array(shape({"type": one_of(kind), "text": string()}))


_REASONING = one_present(
    ("id", "encrypted_content"),
    shape(
        {**_TYPE, "summary": _texts("summary_text")},
        {
            "id": _id("rs"),
            "content": maybe(_texts("reasoning_text")),
            "encrypted_content": maybe(string()),
            "status": maybe(_STATUS),
        },
    ),
    "fields",
)
_CALLER = {
    **dict.fromkeys(("async", "caller", "namespace"), anything),
    "status": maybe(_STATUS),
}
_FUNCTION_CALL = shape(
    {**_TYPE, "call_id": _CALL_ID, "name": _TOOL_NAME, "arguments": string("call")},
    {**_CALLER, "id": _id("fc")},
)
_CUSTOM_CALL = shape(
    {**_TYPE, "call_id": _CALL_ID, "name": _TOOL_NAME, "input": string("call")},
    {**_CALLER, "id": string("id", least=1)},
)
_OUTPUT = shape(
    {**_TYPE, "call_id": _CALL_ID, "output": text_or_list(_INPUT_PARTS)},
    {**_CALLER, "id": maybe(string("id", least=1)), "name": anything},
)


def _hosted(*fields: str, id_: bool = True, **typed: Check) -> Check:
    """An item the service itself wrote: its required fields are checked, others may be there."""
    ids = {"id": string("id", least=1)} if id_ else {}
    return shape({**_TYPE, **ids, **dict.fromkeys(fields, anything), **typed}, extra=True)


ITEMS: Mapping[str, Check] = {
    "message": _message,
    "reasoning": _REASONING,
    "function_call": _FUNCTION_CALL,
    "function_call_output": _OUTPUT,
    "custom_tool_call": _CUSTOM_CALL,
    "custom_tool_call_output": _OUTPUT,
    "item_reference": shape({"id": string("id", least=1)}, {"type": anything}),
    "web_search_call": _hosted("action", "status"),
    "file_search_call": _hosted("status", queries=instance(list)),
    "code_interpreter_call": _hosted("code", "container_id", "outputs", "status"),
    "image_generation_call": _hosted("result", "status"),
    "mcp_call": _hosted(arguments=string(), name=string(), server_label=string()),
    "mcp_list_tools": _hosted(server_label=string(), tools=instance(list)),
    "mcp_approval_request": _hosted(arguments=string(), name=string(), server_label=string()),
    "mcp_approval_response": _hosted(
        id_=False, approval_request_id=string(), approve=instance(bool)
    ),
    "computer_call": _hosted("pending_safety_checks", "status", call_id=_CALL_ID),
    "computer_call_output": _hosted(id_=False, call_id=_CALL_ID, output=instance(dict)),
    "local_shell_call": _hosted("status", call_id=_CALL_ID, action=instance(dict)),
    "local_shell_call_output": _hosted(output=string()),
    "shell_call": _hosted(id_=False, call_id=_CALL_ID, action=instance(dict)),
    "shell_call_output": _hosted(id_=False, call_id=_CALL_ID, output=instance(list)),
    "apply_patch_call": _hosted("status", id_=False, call_id=_CALL_ID, operation=instance(dict)),
    "apply_patch_call_output": _hosted("status", id_=False, call_id=_CALL_ID),
    "compaction": _hosted(id_=False, encrypted_content=string()),
}
"""The known types. The service knows more by the month, so others are accepted as they are."""


def kind_of(at: str, item: dict[str, Any]) -> str:
    """The item's type; a message and a reference may leave it out."""
    kind = item.get("type")
    if kind is None and "role" in item:
        return "message"
    if kind is None and "id" in item:
        return "item_reference"
    if not isinstance(kind, str) or not kind:
        fail("type", at, "an item needs a type or, as a message, a role")
    return kind


def check_item(at: str, item: dict[str, Any]) -> str:
    """Check one item by itself, and return its type."""
    kind = kind_of(at, item)
    if kind in ITEMS:
        ITEMS[kind](at, item)
    return kind
