"""Items with other call ids: the raw payload is renamed with them, so that nothing else is lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from threadkeep.types import Item

_Payload = Mapping[str, Any]
_RESPONSES: Final = frozenset({"openai-responses/1", "openai-agents/1"})


def with_call_ids(head: Item, ids: Sequence[str]) -> Item:
    """The item with these ids for its calls, in their order."""
    if all(call_id == call.get("id") for call_id, call in zip(ids, head.tool_calls, strict=True)):
        return head
    renamed_calls = [
        {**call, "id": call_id} for call_id, call in zip(ids, head.tool_calls, strict=True)
    ]
    return dataclasses.replace(head, tool_calls=renamed_calls, raw=_renamed(head, ids))


def with_result_id(answer: Item, id: str) -> Item:
    """The tool result as that of the call with this id."""
    if answer.tool_call_id == id:
        return answer
    return dataclasses.replace(answer, tool_call_id=id, raw=_renamed(answer, [id]))


def _renamed(item: Item, ids: Sequence[str]) -> dict[str, Any] | None:
    """The raw payload with these ids; `None` if it has other calls than the item."""
    raw_envelope = item.raw or {}
    raw_payload = raw_envelope.get("data")
    if not isinstance(raw_payload, Mapping):
        return None
    renamed_payload: _Payload | None = None
    if raw_envelope.get("format") == "openai-chat/1":
        renamed_payload = _chat(raw_payload, ids)
    elif raw_envelope.get("format") == "anthropic/1":
        renamed_payload = _anthropic(raw_payload, ids)
    elif raw_envelope.get("format") in _RESPONSES and len(ids) == 1:
        renamed_payload = _entry(raw_payload, ids[0])
    return None if renamed_payload is None else {**raw_envelope, "data": renamed_payload}


def _chat(payload: _Payload, ids: Sequence[str]) -> _Payload | None:
    if "tool_call_id" in payload:
        return {**payload, "tool_call_id": ids[0]}
    raw_calls = payload.get("tool_calls")
    if not isinstance(raw_calls, list) or len(raw_calls) != len(ids):
        return None
    renamed_calls = [{**call, "id": call_id} for call, call_id in zip(raw_calls, ids, strict=True)]
    return {**payload, "tool_calls": renamed_calls}


def _anthropic(payload: _Payload, ids: Sequence[str]) -> _Payload | None:
    raw_content = payload.get("content")
    content_parts = raw_content if isinstance(raw_content, list) else []
    id_field_by_type = {"tool_use": "id", "tool_result": "tool_use_id"}
    part_indexes = [
        part_index
        for part_index, content_part in enumerate(content_parts)
        if content_part.get("type") in id_field_by_type
    ]
    if len(part_indexes) != len(ids):
        return None
    renamed_parts = list(content_parts)
    for part_index, call_id in zip(part_indexes, ids, strict=True):
        renamed_parts[part_index] = {
            **content_parts[part_index],
            id_field_by_type[content_parts[part_index]["type"]]: call_id,
        }
    return {**payload, "content": renamed_parts}


def _entry(payload: _Payload, id: str) -> _Payload | None:
    if payload.get("type") == "local_shell_call_output":
        return {**payload, "id": id}
    return {**payload, "call_id": id} if "call_id" in payload else None
