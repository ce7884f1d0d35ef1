"""Convert message content to neutral blocks, plus the data that these cannot express."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from langchain_threadkeep.json_values import (
    TAG,
    Packed,
    pack,
    unpack,
)
from threadkeep import Item
from threadkeep.errors import InputError
from threadkeep.messages import parse

Block = dict[str, Any]

_CALL_TYPES: Final = frozenset(
    {"tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call",
     "input_json_delta"}
)  # fmt: skip
"""Types of parts that repeat what is in `tool_calls`."""
_MIN_REFERENCED: Final = 64
_SOURCES: Final = ("text", "reasoning", "base64", "url")


def to_neutral(content: str | list[Any]) -> tuple[str | list[Block], Packed | None]:
    """Return the neutral content and the original parts, `None` if the content is equivalent.

    Long texts and payloads are stored once: the parts refer to the block that holds them.
    """
    if isinstance(content, str):
        return content, None
    blocks: list[Block] = []
    parts: list[Packed] = []
    for part in content:
        packed_part = pack(part)
        if isinstance(part, Mapping) and part.get("type") in _CALL_TYPES:
            parts.append({"part": packed_part})
            continue
        block = _to_block(packed_part)
        parts.append(_to_part(packed_part, block, len(blocks)))
        blocks.append(block)
    return blocks, None if all(part.get("as") == "block" for part in parts) else parts


def from_neutral(blocks: str | list[Block], parts: Packed) -> list[Any]:
    """Restore the original parts, with edits of the blocks included.

    Raises:
        LookupError: the blocks do not match the parts.
    """
    if isinstance(blocks, str):
        raise LookupError("the content is a text now")
    if sum("block" in part for part in parts) != len(blocks):
        raise LookupError("the content has another number of blocks now")
    return [_restore_part(part, blocks) for part in parts]


def _to_block(part: Packed) -> Block:
    try:
        block: Block = parse(Item(content=[part]))[0].content[0]  # type: ignore[assignment]
    except InputError:  # some providers omit `type`: stored as it is
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            return {"type": "text", "text": part["text"]}
        return {"type": "opaque", "value": part}
    return block


def _to_part(part: Packed, block: Block, index: int) -> Packed:
    if part == block:
        return {"block": index, "as": "block"}
    if isinstance(part, str):
        return {"block": index, "as": "text"}
    if block["type"] == "opaque" and part == block["value"]:
        return {"block": index, "as": "value"}
    return {"block": index, "part": _insert_references(part, block)}


def _restore_part(part: Packed, blocks: list[Block]) -> Any:
    if "block" not in part:
        return unpack(part["part"])
    block = blocks[part["block"]]
    kind = part.get("as")
    if kind == "block":
        return unpack(block)
    if kind is not None:
        return unpack(block[kind])
    return unpack(_resolve_references(part["part"], block))


def _insert_references(value: Packed, block: Block) -> Packed:
    """Replace long texts that the block holds by references to it."""
    if isinstance(value, dict):
        return {key: _insert_references(entry, block) for key, entry in value.items()}
    if isinstance(value, list):
        return [_insert_references(entry, block) for entry in value]
    if not isinstance(value, str) or len(value) < _MIN_REFERENCED:
        return value
    for key in _SOURCES:
        if block.get(key) == value:
            return {TAG: "ref", "v": key}
    return {TAG: "data"} if value == _data_url(block) else value


def _resolve_references(value: Packed, block: Block) -> Packed:
    if isinstance(value, list):
        return [_resolve_references(entry, block) for entry in value]
    if not isinstance(value, dict):
        return value
    match value.get(TAG):
        case "ref":
            return block[value["v"]]
        case "data":
            return _data_url(block)
    return {key: _resolve_references(entry, block) for key, entry in value.items()}


def _data_url(block: Block) -> str:
    return f"data:{block.get('mime_type')};base64,{block.get('base64')}"
