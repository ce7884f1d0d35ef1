"""A message's content as neutral blocks, and what of it those do not say."""

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

_CALLS: Final = frozenset(
    {"tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call",
     "input_json_delta"}
)  # fmt: skip
"""Parts that say again what stands in `tool_calls`."""
_LONG: Final = 64
_SOURCES: Final = ("text", "reasoning", "base64", "url")


def read(content: str | list[Any]) -> tuple[str | list[Block], Packed | None]:
    """The neutral content, and the parts as they were where that says less (`None` = it does not).

    A long text or payload is never stored twice: the parts refer to the block that holds it.
    """
    if isinstance(content, str):
        return content, None
    blocks: list[Block] = []
    parts: list[Packed] = []
    for part in content:
        packed = pack(part)
        if isinstance(part, Mapping) and part.get("type") in _CALLS:
            parts.append({"part": packed})
            continue
        block = _block(packed)
        parts.append(_part(packed, block, len(blocks)))
        blocks.append(block)
    return blocks, None if all(part.get("as") == "block" for part in parts) else parts


def write(blocks: str | list[Block], parts: Packed) -> list[Any]:
    """The parts as they were; a block of them that was edited comes with its new words.

    Raises:
        LookupError: the blocks are not those that the parts were made of.
    """
    if isinstance(blocks, str):
        raise LookupError("the content is a text now")
    if sum("block" in part for part in parts) != len(blocks):
        raise LookupError("the content has another number of blocks now")
    return [_restored(part, blocks) for part in parts]


def _block(part: Packed) -> Block:
    try:
        block: Block = parse(Item(content=[part]))[0].content[0]  # type: ignore[assignment]
    except InputError:  # no `type`, as with some providers: carried as it is
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            return {"type": "text", "text": part["text"]}
        return {"type": "opaque", "value": part}
    return block


def _part(part: Packed, block: Block, index: int) -> Packed:
    if part == block:
        return {"block": index, "as": "block"}
    if isinstance(part, str):
        return {"block": index, "as": "text"}
    if block["type"] == "opaque" and part == block["value"]:
        return {"block": index, "as": "value"}
    return {"block": index, "part": _referring(part, block)}


def _restored(part: Packed, blocks: list[Block]) -> Any:
    if "block" not in part:
        return unpack(part["part"])
    block = blocks[part["block"]]
    kind = part.get("as")
    if kind == "block":
        return unpack(block)
    if kind is not None:
        return unpack(block[kind])
    return unpack(_resolved(part["part"], block))


def _referring(value: Packed, block: Block) -> Packed:
    """The value with references in place of long texts that stand in the block."""
    if isinstance(value, dict):
        return {key: _referring(entry, block) for key, entry in value.items()}
    if isinstance(value, list):
        return [_referring(entry, block) for entry in value]
    if not isinstance(value, str) or len(value) < _LONG:
        return value
    for key in _SOURCES:
        if block.get(key) == value:
            return {TAG: "ref", "v": key}
    return {TAG: "data"} if value == _data_url(block) else value


def _resolved(value: Packed, block: Block) -> Packed:
    if isinstance(value, list):
        return [_resolved(entry, block) for entry in value]
    if not isinstance(value, dict):
        return value
    match value.get(TAG):
        case "ref":
            return block[value["v"]]
        case "data":
            return _data_url(block)
    return {key: _resolved(entry, block) for key, entry in value.items()}


def _data_url(block: Block) -> str:
    return f"data:{block.get('mime_type')};base64,{block.get('base64')}"
