"""OpenAI Responses: convert input and output items to neutral items and back."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from threadkeep.messages import schemas
from threadkeep.messages.arguments import format_arguments
from threadkeep.messages.content import (
    Block,
    data_url,
    describe,
    is_openai_file,
    spoken_text,
)
from threadkeep.messages.responses_entries import (
    Entry,
    calls_last,
    with_unique_id,
    without_orphan_answers,
    without_orphan_reasoning,
)
from threadkeep.messages.spoken import is_unspoken
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

_AGENTS_FORMAT: Final = "openai-agents/1"  # OpenAI Agents has the same items
_FAKE_ID: Final = "__fake_id__"  # set by OpenAI Agents on every item of a chat model
_CALL_ID: Final = re.compile(r"[^\ud800-\udfff]{1,64}", re.DOTALL)
_NULLABLE: Final = {
    "code_interpreter_call": ("code", "outputs"),
    "image_generation_call": ("result",),
}
_DEFAULT_CALL: Final = {"type": "function_call"}
_DEFAULT_RESULT: Final = {"type": "function_call_output"}


def to_responses(items: Sequence[Item], *, stateless: bool = False) -> list[Entry]:
    """The `input` of a Responses request; items from that API are returned verbatim.

    Reasoning of other providers, or without the output it led to, is left out, as are answers to
    what is not there.

    Args:
        items: a conversation.
        stateless: for requests with `store=False`, to which no id means anything: without ids,
            and without what is nothing but an id to others: reasoning that is not encrypted,
            references, and hosted tools' calls.
    """
    used_ids: set[str] = set()
    contribution_list = contributions(items, id_pattern=_CALL_ID)
    if stateless:
        contribution_list = [
            Contribution(_bare(contribution.heads), _bare(contribution.results))
            for contribution in contribution_list
        ]
    entries = [
        unique_entry
        for contribution in contribution_list
        for entry in _entries(contribution)
        if (unique_entry := with_unique_id(entry, used_ids))
    ]
    entries = without_orphan_reasoning(without_orphan_answers(entries))
    if items and not entries:
        entries = [{"type": "message", "role": "user", "content": OMITTED}]
    return sanitize_messages(entries)


def to_entries(item: Item) -> list[Entry]:
    """One item as entries of an input."""
    if item.raw is not None and (raw_entry := _raw_entry(item)):
        return [raw_entry]
    if item.role in {"tool", "function"}:
        return [_to_output(item)]
    if (item.type == "reasoning" and not item.tool_calls) or is_unspoken(item):
        return []  # only the API that wrote it can read it
    entries: list[Entry] = []
    role = role_of(item)
    entry_content = _to_content(item.content, role)
    if entry_content or not item.tool_calls:
        entries.append({"type": "message", "role": role, "content": entry_content})
    return [*entries, *(_to_call(tool_call) for tool_call in item.tool_calls)]


def _raw_entry(item: Item) -> Entry | None:
    raw_fields = raw_payload(item, FORMAT) or raw_payload(item, _AGENTS_FORMAT)
    if not isinstance(raw_fields, Mapping):
        return None
    entry = {key: value for key, value in raw_fields.items() if (key, value) != ("id", _FAKE_ID)}
    for field_name in _NULLABLE.get(str(entry.get("type")), ()):
        entry.setdefault(field_name, None)  # nulls are not stored, and these are required
    return entry if schemas.is_responses_item(entry) else None


def _entries(contribution: Contribution) -> list[Entry]:
    """The entries of a contribution; a call and its result are both verbatim, or neither."""
    result_by_id = {result.tool_call_id: result for result in contribution.results}
    mismatched_ids = {
        call_id
        for head_item in contribution.heads
        for call_id in _mismatched_calls(head_item, result_by_id)
    }
    head_items = [
        _without_raw(head_item) if _call_ids(head_item) & mismatched_ids else head_item
        for head_item in contribution.heads
    ]
    answer_items = [
        _without_raw(result) if result.tool_call_id in mismatched_ids else result
        for result in contribution.results
    ]
    head_entries = [entry for head_item in head_items for entry in to_entries(head_item)]
    return (
        [*head_entries, *(entry for answer in answer_items for entry in to_entries(answer))]
        if answer_items
        else calls_last(head_entries)
    )


def _mismatched_calls(head: Item, result_by_id: Mapping[str | None, Item]) -> list[str]:
    """The ids of calls whose results have a type that does not match the call."""
    expected_type = _output_type((_raw_entry(head) or _DEFAULT_CALL)["type"])
    call_result_pairs = (
        (call_id, result_by_id[call_id]) for call_id in _call_ids(head) if call_id in result_by_id
    )
    return [
        call_id
        for call_id, result in call_result_pairs
        if (_raw_entry(result) or _DEFAULT_RESULT)["type"] != expected_type
    ]


def _output_type(call_type: str) -> str:
    return "tool_search_output" if call_type == "tool_search_call" else f"{call_type}_output"


def _call_ids(head: Item) -> set[str]:
    return {str(tool_call.get("id")) for tool_call in head.tool_calls}


def _without_raw(item: Item) -> Item:
    return dataclasses.replace(item, raw=None)


def _bare(items: Sequence[Item]) -> list[Item]:
    return [bare_item for item in items if (bare_item := _without_state(item))]


def _without_state(item: Item) -> Item | None:
    """The item as a service that has stored nothing reads it; `None` if it cannot."""
    raw_entry = _raw_entry(item) if item.raw is not None else None
    if raw_entry is None:
        return item
    bare_entry = {key: value for key, value in raw_entry.items() if key != "id"}
    if raw_entry["type"] != "item_reference" and schemas.is_responses_item(bare_entry):
        return dataclasses.replace(item, raw={"format": FORMAT, "data": bare_entry})
    return _without_raw(item) if item.tool_calls or item.role == "tool" else None


def _to_output(item: Item) -> Entry:
    content: Any = item.content
    if not isinstance(content, str):
        content = [part for block in content if (part := _to_part(block, "input_text"))] or ""
    return {"type": "function_call_output", "call_id": item.tool_call_id or "", "output": content}


def _to_call(tool_call: dict[str, Json]) -> Entry:
    return {
        "type": "function_call",
        "call_id": tool_call.get("id"),
        "name": tool_name(tool_call.get("name")),
        "arguments": format_arguments(tool_call.get("args")),
    }


def _to_content(content: str | list[Block], role: str) -> str | list[Entry]:
    if isinstance(content, str):
        return content
    if role == "assistant":
        block_texts = [text for block in content if (text := spoken_text(block))]
        if len(block_texts) == 1:
            return block_texts[0]  # the one form that needs no id
        return [{"type": "output_text", "text": text} for text in block_texts] or ""
    return [part for block in content if (part := _to_part(block, "input_text"))] or ""


def _to_part(block: Block, text_type: str) -> Entry | None:
    if media_part := _media(block):
        return media_part
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
    file_name = block.get("extras", {}).get("filename") or "file"
    return {"filename": file_name, "file_data": data_url(block, "application/pdf")}
