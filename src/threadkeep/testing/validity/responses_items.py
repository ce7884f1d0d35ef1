"""OpenAI Responses: what each type of input item looks like. The rules are named in `responses`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadkeep.testing.validity.checks import (
    Check,
    any_value,
    array,
    by_type,
    fail,
    instance,
    maybe,
    one_of,
    one_present,
    shape,
    shorten,
    string,
    text_or_list,
)

_TYPE = {"type": any_value}
_STATUS = one_of("in_progress", "completed", "incomplete")
_CALL_ID = string("call", min_length=1, max_length=64)
_TOOL_NAME = string("call", min_length=1, max_length=128, pattern=r"[a-zA-Z0-9_-]+")


def _id(prefix: str) -> Check:
    return string("id", max_length=64, pattern=rf"{prefix}.*")


_PART = {"prompt_cache_breakpoint": any_value}
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
    new=True,
)
_OUTPUT_PARTS = by_type(
    {
        "output_text": shape(
            {**_TYPE, "text": string("parts")},
            {"annotations": instance(list, "parts"), "logprobs": any_value},
            rule="parts",
        ),
        "refusal": shape({**_TYPE, "refusal": string("parts")}, rule="parts"),
    },
    "parts",
    new=True,
)


_MESSAGE_KEYS = {"type": any_value, "id": _id("msg"), "status": _STATUS, "phase": any_value}
_ROLE = {"role": any_value}
_INPUT_MESSAGE = shape({**_ROLE, "content": text_or_list(_INPUT_PARTS)}, _MESSAGE_KEYS)
_OUTPUT_MESSAGE = shape(
    {**_ROLE, "content": text_or_list(_OUTPUT_PARTS, min_length=0)}, _MESSAGE_KEYS
)
_ROLES = {
    "user": _INPUT_MESSAGE,
    "system": _INPUT_MESSAGE,
    "developer": _INPUT_MESSAGE,
    "assistant": _OUTPUT_MESSAGE,
}


def _message(location: str, item: Any) -> None:
    role = item.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        fail("role", location, f"role {shorten(role)} is none of {', '.join(_ROLES)}")
    _ROLES[role](location, item)


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
_CALL_OPTIONAL = {
    **dict.fromkeys(("async", "caller", "namespace"), any_value),
    "status": maybe(_STATUS),
}
_FUNCTION_CALL = shape(
    {**_TYPE, "call_id": _CALL_ID, "name": _TOOL_NAME, "arguments": string("call")},
    {**_CALL_OPTIONAL, "id": _id("fc")},
)
_CUSTOM_CALL = shape(
    {**_TYPE, "call_id": _CALL_ID, "name": _TOOL_NAME, "input": string("call")},
    {**_CALL_OPTIONAL, "id": string("id", min_length=1)},
)
_OUTPUT = shape(
    {**_TYPE, "call_id": _CALL_ID, "output": text_or_list(_INPUT_PARTS)},
    {**_CALL_OPTIONAL, "id": maybe(string("id", min_length=1)), "name": any_value},
)


def _service_item(*fields: str, id_: bool = True, **typed: Check) -> Check:
    """An item that the service wrote: checks its required fields, allows others."""
    id_fields = {"id": string("id", min_length=1)} if id_ else {}
    return shape({**_TYPE, **id_fields, **dict.fromkeys(fields, any_value), **typed}, extra=True)


ITEMS: Mapping[str, Check] = {
    "message": _message,
    "reasoning": _REASONING,
    "function_call": _FUNCTION_CALL,
    "function_call_output": _OUTPUT,
    "custom_tool_call": _CUSTOM_CALL,
    "custom_tool_call_output": _OUTPUT,
    "item_reference": shape({"id": string("id", min_length=1)}, {"type": any_value}),
    "web_search_call": _service_item("action", "status"),
    "file_search_call": _service_item("status", queries=instance(list)),
    "code_interpreter_call": _service_item("code", "container_id", "outputs", "status"),
    "image_generation_call": _service_item("result", "status"),
    "mcp_call": _service_item(arguments=string(), name=string(), server_label=string()),
    "mcp_list_tools": _service_item(server_label=string(), tools=instance(list)),
    "mcp_approval_request": _service_item(arguments=string(), name=string(), server_label=string()),
    "mcp_approval_response": _service_item(
        id_=False, approval_request_id=string(), approve=instance(bool)
    ),
    "computer_call": _service_item("pending_safety_checks", "status", call_id=_CALL_ID),
    "computer_call_output": _service_item(id_=False, call_id=_CALL_ID, output=instance(dict)),
    "local_shell_call": _service_item("status", call_id=_CALL_ID, action=instance(dict)),
    "local_shell_call_output": _service_item(output=string()),
    "shell_call": _service_item(id_=False, call_id=_CALL_ID, action=instance(dict)),
    "shell_call_output": _service_item(id_=False, call_id=_CALL_ID, output=instance(list)),
    "apply_patch_call": _service_item(
        "status", id_=False, call_id=_CALL_ID, operation=instance(dict)
    ),
    "apply_patch_call_output": _service_item("status", id_=False, call_id=_CALL_ID),
    "compaction": _service_item(id_=False, encrypted_content=string()),
}
"""The known types. The service knows more by the month, so others are accepted as they are."""


def kind_of(location: str, item: dict[str, Any]) -> str:
    """The item's type; a message and a reference may leave it out."""
    item_type = item.get("type")
    if item_type is None and "role" in item:
        return "message"
    if item_type is None and "id" in item:
        return "item_reference"
    if not isinstance(item_type, str) or not item_type:
        fail("type", location, "an item needs a type or, as a message, a role")
    return item_type


def check_item(location: str, item: dict[str, Any]) -> str:
    """Check one item by itself, and return its type."""
    item_type = kind_of(location, item)
    if item_type in ITEMS:
        ITEMS[item_type](location, item)
    return item_type
