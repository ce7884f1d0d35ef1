"""Read the content of LangChain messages into neutral blocks and the parts these cannot express."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.messages.content import Block, parse_block, parse_content, plain_text
from threadkeep.types import Json

_CALL_TYPES: Final = frozenset(
    {"tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call",
     "input_json_delta"}
)  # fmt: skip
"""Types of parts that repeat what is in `tool_calls`."""
_MIN_REFERENCED: Final = 64
_SOURCES: Final = ("text", "reasoning", "base64", "url")
_TAG: Final = "$threadkeep"


def read(content: object, location: str) -> tuple[str | list[Block], Json]:
    """The neutral content, and the parts from which the adapter restores the original.

    The parts are `None` where the blocks are the original. Parts that repeat tool calls have no
    block; long texts and payloads are stored once, in the block.

    Raises:
        InputError: the content is neither a `str` nor a list of parts.
    """
    if isinstance(content, str):
        return content, None
    if not isinstance(content, (list, tuple)):
        raise InputError(
            f"{location}.content must be a str or a list of parts, got {type(content).__name__}"
        )
    blocks: list[Block] = []
    stored_parts: list[Json] = []
    for part in content:
        if _repeats_call(part):
            stored_parts.append({"part": part})
            continue
        block = _block(part)
        stored_parts.append(_part(part, block, len(blocks)))
        blocks.append(block)
    return blocks, None if all(part.get("as") == "block" for part in stored_parts) else stored_parts


def _repeats_call(part: object) -> bool:
    """Whether a part stands in `tool_calls` as well; a type of a dump may be anything."""
    part_type = part.get("type") if isinstance(part, Mapping) else None
    return isinstance(part_type, str) and part_type in _CALL_TYPES


def _block(part: Any) -> Block:
    try:
        return _result_block(part) or parse_block(part, "")
    except InputError:  # some providers omit `type`: stored as it is
        if isinstance(part, Mapping) and isinstance(part.get("text"), str):
            return {"type": "text", "text": part["text"]}
        return {"type": "opaque", "value": part}


def _result_block(part: object) -> Block | None:
    """What a tool said, where Anthropic's result is a part of a message of the user or the tool."""
    if not isinstance(part, Mapping) or part.get("type") != "tool_result":
        return None
    result_text = plain_text(parse_content(part.get("content"), ""))
    return {"type": "text", "text": result_text} if result_text else None


def _part(part: Any, block: Block, block_index: int) -> Json:
    if part == block:
        return {"block": block_index, "as": "block"}
    if isinstance(part, str):
        return {"block": block_index, "as": "text"}
    if block["type"] == "opaque" and part == block["value"]:
        return {"block": block_index, "as": "value"}
    return {"block": block_index, "part": _with_references(part, block)}


def _with_references(value: Any, block: Block) -> Json:
    """Replace long texts that the block holds by references to it."""
    if isinstance(value, Mapping):
        return {key: _with_references(element, block) for key, element in value.items()}
    if isinstance(value, list):
        return [_with_references(element, block) for element in value]
    if not isinstance(value, str) or len(value) < _MIN_REFERENCED:
        return value
    for source_key in _SOURCES:
        if block.get(source_key) == value:
            return {_TAG: "ref", "v": source_key}
    return {_TAG: "data"} if value == data_url(block) else value


def data_url(block: Block) -> str:
    """The payload of a block as a URL."""
    return f"data:{block.get('mime_type')};base64,{block.get('base64')}"
