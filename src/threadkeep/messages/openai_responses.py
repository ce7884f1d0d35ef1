"""OpenAI Responses: convert input and output items to neutral items and back."""

from __future__ import annotations

import dataclasses
import itertools
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
Entry = dict[str, Any]

_AGENTS_FORMAT: Final = "openai-agents/1"  # OpenAI Agents has the same items
_FAKE_ID: Final = "__fake_id__"  # set by OpenAI Agents on every item of a chat model
_CALL_ID: Final = re.compile(r"[^\ud800-\udfff]{1,64}", re.DOTALL)
_NULLABLE: Final = {
    "code_interpreter_call": ("code", "outputs"),
    "image_generation_call": ("result",),
}
_DEFAULT_CALL: Final = {"type": "function_call"}
_DEFAULT_RESULT: Final = {"type": "function_call_output"}
_ANSWERS: Final = {
    "mcp_approval_response": ("mcp_approval_request", "approval_request_id", "id"),
    "program_output": ("program", "call_id", "call_id"),
}  # items that answer another: its type, the key of the answer, and the key of the other


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
    grouped = contributions(items, id_pattern=_CALL_ID)
    if stateless:
        grouped = [Contribution(_bare(part.heads), _bare(part.results)) for part in grouped]
    entries = [
        unique
        for contribution in grouped
        for entry in _entries(contribution)
        if (unique := _with_unique_id(entry, used_ids))
    ]
    entries = without_orphan_reasoning(_without_orphan_answers(entries))
    if items and not entries:
        entries = [{"type": "message", "role": "user", "content": OMITTED}]
    return sanitize_messages(entries)


def to_entries(item: Item) -> list[Entry]:
    """One item as entries of an input."""
    if item.raw is not None and (raw := _raw_entry(item)):
        return [raw]
    if item.role in {"tool", "function"}:
        return [_to_output(item)]
    if (item.type == "reasoning" and not item.tool_calls) or is_unspoken(item):
        return []  # only the API that wrote it can read it
    entries: list[Entry] = []
    role = role_of(item)
    content = _to_content(item.content, role)
    if content or not item.tool_calls:
        entries.append({"type": "message", "role": role, "content": content})
    return [*entries, *(_to_call(call) for call in item.tool_calls)]


def _raw_entry(item: Item) -> Entry | None:
    payload = raw_payload(item, FORMAT) or raw_payload(item, _AGENTS_FORMAT)
    if not isinstance(payload, Mapping):
        return None
    entry = {key: value for key, value in payload.items() if (key, value) != ("id", _FAKE_ID)}
    for key in _NULLABLE.get(str(entry.get("type")), ()):
        entry.setdefault(key, None)  # nulls are not stored, and these are required
    return entry if schemas.is_responses_item(entry) else None


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
    expected = _output_type((_raw_entry(head) or _DEFAULT_CALL)["type"])
    pairs = ((id_, results[id_]) for id_ in _call_ids(head) if id_ in results)
    return [
        id_ for id_, result in pairs if (_raw_entry(result) or _DEFAULT_RESULT)["type"] != expected
    ]


def _output_type(call_type: str) -> str:
    return "tool_search_output" if call_type == "tool_search_call" else f"{call_type}_output"


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


def _bare(items: Sequence[Item]) -> list[Item]:
    return [bare for item in items if (bare := _without_state(item))]


def _without_state(item: Item) -> Item | None:
    """The item as a service that has stored nothing reads it; `None` if it cannot."""
    entry = _raw_entry(item) if item.raw is not None else None
    if entry is None:
        return item
    bare = {key: value for key, value in entry.items() if key != "id"}
    if entry["type"] != "item_reference" and schemas.is_responses_item(bare):
        return dataclasses.replace(item, raw={"format": FORMAT, "data": bare})
    return _without_raw(item) if item.tool_calls or item.role == "tool" else None


def _without_orphan_answers(entries: list[Entry]) -> list[Entry]:
    """Drop answers to what is not there; a reference may stand for anything."""
    earlier: set[tuple[str, Any]] = set()
    remaining: list[Entry] = []
    for entry in entries:
        kind = entry["type"]
        if kind == "item_reference":
            return entries
        if kind in _ANSWERS:
            other, key, _ = _ANSWERS[kind]
            if (other, entry.get(key)) not in earlier:
                continue
        earlier.update(
            (kind, entry.get(key)) for other, _, key in _ANSWERS.values() if kind == other
        )
        remaining.append(entry)
    return remaining


def without_orphan_reasoning(entries: list[Entry]) -> list[Entry]:
    """Drop reasoning that is not followed by the output it led to: the API rejects it."""
    remaining: list[Entry] = []
    for entry in reversed(entries):
        if entry.get("type") != "reasoning" or (remaining and _is_model_output(remaining[-1])):
            remaining.append(entry)
    return remaining[::-1]


def _is_model_output(entry: Entry) -> bool:
    """Return True if a model wrote the entry."""
    kind = str(entry.get("type", "message"))
    if kind == "message":
        return bool(entry.get("role") == "assistant")
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
        texts = [text for block in content if (text := spoken_text(block))]
        if len(texts) == 1:
            return texts[0]  # the one form that needs no id
        return [{"type": "output_text", "text": text} for text in texts] or ""
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
