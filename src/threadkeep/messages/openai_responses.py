"""OpenAI Responses: convert input and output items to neutral items and back."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.messages import schemas
from threadkeep.messages.content import (
    Block,
    data_url,
    describe,
    is_openai_file,
    parse_content,
    part_types,
    plain_text,
)
from threadkeep.messages.openai_chat import format_arguments, parse_arguments
from threadkeep.messages.tool_pairs import (
    OMITTED,
    Contribution,
    contributions,
    raw_payload,
    role_of,
    sanitize_messages,
    tool_name,
)
from threadkeep.types import Item, Json

FORMAT: Final = "openai-responses/1"
Entry = dict[str, Any]

_FAKE_ID: Final = "__fake_id__"  # set by OpenAI Agents on every item of a chat model
_CALL_ID: Final = re.compile(r"[^\ud800-\udfff]{1,64}", re.DOTALL)
_CALL_TYPES: Final = frozenset({"function_call", "custom_tool_call"})
_DEFAULT_CALL: Final = {"type": "function_call"}
_DEFAULT_RESULT: Final = {"type": "function_call_output"}
_PART_TYPES: Final = frozenset({"input_text", "input_image", "input_file", "output_text"})
_MESSAGE_KEYS: Final = ("role", "content", "id", "status", "phase")


def to_responses(items: Sequence[Item]) -> list[Entry]:
    """The `input` of a Responses request; items from that API are returned verbatim.

    Reasoning of other providers, or without the output it led to, is left out.
    """
    used_ids: set[str] = set()
    grouped = contributions(items, id_pattern=_CALL_ID)
    entries = [
        unique
        for contribution in grouped
        for entry in _entries(contribution)
        if (unique := _with_unique_id(entry, used_ids))
    ]
    entries = _without_orphan_reasoning(entries)
    if items and not entries:
        entries = [{"type": "message", "role": "user", "content": OMITTED}]
    return sanitize_messages(entries)


def is_message(data: Mapping[str, Any]) -> bool:
    """Return True if this is unambiguously a message of this API."""
    if data.get("type", "message") != "message" or "role" not in data:
        return False
    types = part_types(data.get("content"))
    if types & _PART_TYPES:
        return True
    return "type" in data and ("refusal" in types or str(data.get("id")).startswith("msg_"))


def raw_message(data: Mapping[str, Any]) -> Entry:
    """The fields of such a message that are stored verbatim."""
    return {"type": "message", **{key: data[key] for key in _MESSAGE_KEYS if key in data}}


def neutral_fields(entry: Mapping[str, Any], location: str) -> dict[str, Any]:
    """The neutral fields of an item of the Responses API other than a message."""
    kind = str(entry["type"])
    if kind.endswith("_call_output"):
        content = _result_content(entry.get("output"), location)
        return {"role": "tool", "tool_call_id": _result_call_id(entry), "content": content}
    if kind in _CALL_TYPES or (kind.endswith("_call") and "call_id" in entry):
        raw_arguments: Any = next(
            (entry[key] for key in ("arguments", "input", "action", "operation") if key in entry),
            {},
        )
        call = {
            "id": entry.get("call_id", ""),
            "name": entry.get("name") or kind.removesuffix("_call"),
            "args": parse_arguments(raw_arguments),
        }
        return {"role": "assistant", "content": "", "tool_calls": [call]}
    if kind == "reasoning":
        return {"role": "assistant", "content": _reasoning(entry, location)}
    return {"role": "assistant", "name": entry.get("name"), "content": _describe_entry(entry)}


def to_entries(item: Item) -> list[Entry]:
    """One item as entries of an input."""
    if item.raw is not None and (raw := _raw_entry(item)):
        return [raw]
    if item.role in {"tool", "function"}:
        return [_to_output(item)]
    if item.type == "reasoning" and not item.tool_calls:
        return []  # only the API that wrote it can read it
    entries: list[Entry] = []
    if item.content or not item.tool_calls:
        role = role_of(item)
        entries.append(
            {"type": "message", "role": role, "content": _to_content(item.content, role)}
        )
    return [*entries, *(_to_call(call) for call in item.tool_calls)]


def _raw_entry(item: Item) -> Entry | None:
    payload = raw_payload(item, FORMAT)
    if not isinstance(payload, Mapping):
        return None
    entry = {key: value for key, value in payload.items() if (key, value) != ("id", _FAKE_ID)}
    return entry if schemas.is_responses_item(entry) else None


def _result_call_id(entry: Mapping[str, Any]) -> str:
    key = "id" if entry["type"] == "local_shell_call_output" else "call_id"
    return str(entry.get(key) or "")


def _entries(contribution: Contribution) -> list[Entry]:
    """The entries of a contribution; a call and its result are both verbatim, or neither."""
    results = {result.tool_call_id: result for result in contribution.results}
    mismatched = {id_ for head in contribution.heads for id_ in _mismatched_calls(head, results)}
    heads = [
        _without_raw(head) if _call_ids(head) & mismatched else head for head in contribution.heads
    ]
    answers = [_without_raw(r) if r.tool_call_id in mismatched else r for r in contribution.results]
    outputs = [entry for head in heads for entry in to_entries(head)]
    return (
        [*outputs, *(e for a in answers for e in to_entries(a))]
        if answers
        else _calls_last(outputs)
    )


def _calls_last(entries: list[Entry]) -> list[Entry]:
    """Messages before calls, since pending calls are allowed only at the very end."""
    messages: list[Entry] = []
    calls: list[Entry] = []
    reasoning: list[Entry] = []
    for entry in entries:
        reasoning.append(entry)
        if entry["type"] != "reasoning":
            (calls if "call_id" in entry else messages).extend(reasoning)
            reasoning = []
    return messages + calls + reasoning


def _mismatched_calls(head: Item, results: Mapping[str | None, Item]) -> list[str]:
    """The ids of calls whose results have a type that does not match the call."""
    expected = f"{(_raw_entry(head) or _DEFAULT_CALL)['type']}_output"
    pairs = ((id_, results[id_]) for id_ in _call_ids(head) if id_ in results)
    return [
        id_ for id_, result in pairs if (_raw_entry(result) or _DEFAULT_RESULT)["type"] != expected
    ]


def _call_ids(head: Item) -> set[str]:
    return {str(call.get("id")) for call in head.tool_calls}


def _without_raw(item: Item) -> Item:
    return dataclasses.replace(item, raw=None)


def _with_unique_id(entry: Entry, used_ids: set[str]) -> Entry | None:
    """The entry with an id that is unique in the input; `None` for a mere repetition."""
    entry_id = entry.get("id")
    if entry_id is None or entry["type"] == "local_shell_call_output":
        return entry  # its id is that of its call
    without_id = {key: value for key, value in entry.items() if key != "id"}
    if not isinstance(entry_id, str):
        return without_id
    if entry_id not in used_ids:
        used_ids.add(entry_id)
        return entry
    if schemas.is_responses_item(without_id):
        return without_id
    if entry["type"] in {"reasoning", "item_reference"}:
        return None
    number = next(n for n in itertools.count(2) if f"{entry_id}_{n}" not in used_ids)
    used_ids.add(f"{entry_id}_{number}")
    return {**without_id, "id": f"{entry_id}_{number}"}


def _without_orphan_reasoning(entries: list[Entry]) -> list[Entry]:
    """Drop reasoning that is not followed by the output it led to: the API rejects it."""
    remaining: list[Entry] = []
    for entry in reversed(entries):
        if entry["type"] != "reasoning" or (remaining and _is_model_output(remaining[-1])):
            remaining.append(entry)
    return remaining[::-1]


def _is_model_output(entry: Entry) -> bool:
    """Return True if a model wrote the entry."""
    if entry["type"] == "message":
        return bool(entry["role"] == "assistant")
    kind = str(entry["type"])
    return not kind.endswith("_call_output") and kind != "mcp_approval_response"


def _to_output(item: Item) -> Entry:
    content: Any = item.content
    if not isinstance(content, str):
        content = [part for block in content if (part := _to_part(block, "input_text"))] or ""
    return {"type": "function_call_output", "call_id": item.tool_call_id or "", "output": content}


def _to_call(call: dict[str, Json]) -> Entry:
    return {
        "type": "function_call",
        "call_id": call.get("id"),
        "name": tool_name(call.get("name")),
        "arguments": format_arguments(call.get("args")),
    }


def _to_content(content: str | list[Block], role: str) -> str | list[Entry]:
    if isinstance(content, str):
        return content
    if role == "assistant":
        return [
            {"type": "output_text", "text": text} for b in content if (text := describe(b))
        ] or ""
    return [part for block in content if (part := _to_part(block, "input_text"))] or ""


def _to_part(block: Block, text_type: str) -> Entry | None:
    if part := _media(block):
        return part
    description = describe(block)
    return {"type": text_type, "text": description} if description else None


def _media(block: Block) -> Entry | None:
    match block["type"]:
        case "image":
            detail = block.get("extras", {}).get("detail")
            part = {"type": "input_image", "detail": detail or "auto", **_image(block)}
        case "file":
            part = {"type": "input_file", **_file(block)}
        case _:
            return None
    return (
        part
        if schemas.is_responses_item({"type": "message", "role": "user", "content": [part]})
        else None
    )


def _image(block: Block) -> Entry:
    if is_openai_file(block):
        return {"file_id": block["file_id"]}
    return {"image_url": data_url(block, "image/png")}


def _file(block: Block) -> Entry:
    if is_openai_file(block):
        return {"file_id": block["file_id"]}
    if block.get("url"):
        return {"file_url": block["url"]}
    name = block.get("extras", {}).get("filename") or "file"
    return {"filename": name, "file_data": data_url(block, "application/pdf")}


def _reasoning(entry: Mapping[str, Any], location: str) -> list[Block]:
    parts = [part for key in ("summary", "content") for part in _part_list(entry, key, location)]
    blocks: list[Block] = [
        {"type": "reasoning", "reasoning": plain_text([block])}
        for block in parse_content(parts, location)
        if not isinstance(block, str)
    ]
    if entry.get("encrypted_content"):
        extras = {"encrypted_content": entry["encrypted_content"]}
        blocks.append({"type": "reasoning", "reasoning": "", "extras": extras})
    return blocks


def _part_list(entry: Mapping[str, Any], key: str, location: str) -> Sequence[Any]:
    parts = entry.get(key) or ()
    if isinstance(parts, str):
        return [parts]
    if isinstance(parts, (list, tuple)):
        return parts
    raise InputError(f"{location}.{key} must be a list of parts, got {type(parts).__name__}")


def _describe_entry(entry: Mapping[str, Any]) -> str:
    """A text for a provider-specific item, for search and for other providers."""
    summary = [
        f"[{entry['type']}",
        *(str(entry[key]) for key in ("name", "status") if entry.get(key)),
    ]
    output = entry.get("output") or entry.get("error")
    return " ".join(summary) + (f"] {output}" if isinstance(output, str) else "]")


def _result_content(output: Any, location: str) -> str | list[Block]:
    """Parse a tool's output: a text, content parts, or any other value as JSON."""
    of_parts = isinstance(output, list) and all(
        isinstance(part, str) or (isinstance(part, Mapping) and "type" in part) for part in output
    )
    return (
        parse_content(output, location) if isinstance(output, str) or of_parts else _as_json(output)
    )


def _as_json(output: Any) -> list[Block]:
    return [{"type": "json", "value": output}]
