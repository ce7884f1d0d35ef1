"""Items of a Responses input. Types nobody here knows pass: the list grows by the month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from threadkeep.messages.schemas.predicates import (
    DATA_LINK,
    DETAIL,
    FILE_KEYS,
    Check,
    anything,
    kinds,
    listed,
    mapping,
    match,
    maybe,
    shape,
    some,
    text,
    words,
)

_call_id = match(".{1,64}")
_called = {"call_id": _call_id, "name": match("[a-zA-Z0-9_-]{1,128}")}
_status = maybe(match("in_progress|completed|incomplete"))
_about = {**dict.fromkeys(("async", "caller", "namespace"), anything), "status": _status}
_image = shape(
    {},
    {"image_url": maybe(DATA_LINK), "file_id": maybe(text), "detail": maybe(DETAIL)},
)
_input_file = shape({}, dict.fromkeys((*FILE_KEYS, "filename", "detail"), maybe(text)))
_input = kinds(
    {
        "input_text": shape({"text": text}),
        "input_image": lambda part: (
            _image(part) and bool(part.get("image_url") or part.get("file_id"))
        ),
        "input_file": lambda part: _input_file(part) and any(part.get(key) for key in FILE_KEYS),
    }
)
_output = kinds(
    {
        "output_text": shape(
            {"text": text}, {"annotations": listed(anything), "logprobs": anything}
        ),
        "refusal": shape({"refusal": text}),
    }
)
_MESSAGE: Final = {
    "id": match("msg.{0,61}"),
    "status": match("in_progress|completed|incomplete"),
    "phase": anything,
}
_asking = shape({"role": text, "content": words(_input)}, _MESSAGE)
_answering = shape({"role": text, "content": words(_output, least=0)}, _MESSAGE)
_ROLES: Final[Mapping[str, Check]] = {
    **dict.fromkeys(("user", "system", "developer"), _asking),
    "assistant": _answering,
}
_thoughts = listed(shape({"text": text}))


def _hosted(*keys: str, **typed: Check) -> Check:
    """What the service itself wrote: nothing more is asked than what it insists on."""
    return shape({**dict.fromkeys(keys, anything), **typed}, extra=True)


_ENTRIES: Final[Mapping[str, Check]] = {
    "reasoning": shape(
        {"summary": _thoughts},
        {
            "id": match("rs.{0,62}"),
            "content": maybe(_thoughts),
            "encrypted_content": maybe(text),
            "status": _status,
        },
    ),
    "function_call": shape({**_called, "arguments": text}, {**_about, "id": match("fc.{0,62}")}),
    "custom_tool_call": shape({**_called, "input": text}, {**_about, "id": some}),
    **dict.fromkeys(
        ("function_call_output", "custom_tool_call_output"),
        shape(
            {"call_id": _call_id, "output": words(_input)},
            {**_about, "id": maybe(some), "name": anything},
        ),
    ),
    "item_reference": _hosted(id=some),
    "web_search_call": _hosted("action", "status", id=some),
    "file_search_call": _hosted("status", id=some, queries=listed(anything)),
    "code_interpreter_call": _hosted("code", "container_id", "outputs", "status", id=some),
    "image_generation_call": _hosted("result", "status", id=some),
    "mcp_call": _hosted(id=some, arguments=text, name=text, server_label=text),
    "mcp_list_tools": _hosted(id=some, server_label=text, tools=listed(anything)),
    "mcp_approval_request": _hosted(id=some, arguments=text, name=text, server_label=text),
    "mcp_approval_response": _hosted(
        approval_request_id=text, approve=lambda said: isinstance(said, bool)
    ),
    "computer_call": _hosted("pending_safety_checks", "status", id=some, call_id=_call_id),
    "computer_call_output": _hosted(call_id=_call_id, output=mapping),
    "local_shell_call": _hosted("status", id=some, call_id=_call_id, action=mapping),
    "local_shell_call_output": _hosted(id=some, output=text),
    "shell_call": _hosted(call_id=_call_id, action=mapping),
    "shell_call_output": _hosted(call_id=_call_id, output=listed(anything)),
    "apply_patch_call": _hosted("status", call_id=_call_id, operation=mapping),
    "apply_patch_call_output": _hosted("status", call_id=_call_id),
    "compaction": _hosted(encrypted_content=text),
}


def responses(entry: Any) -> bool:
    """An item of a Responses input."""
    kind = entry.get("type") if isinstance(entry, Mapping) else None
    if kind == "message":
        role = entry.get("role")
        return isinstance(role, str) and role in _ROLES and _ROLES[role](entry)
    if kind == "reasoning" and not (entry.get("id") or entry.get("encrypted_content")):
        return False
    return isinstance(kind, str) and _ENTRIES.get(kind, anything)(entry)
