"""Convert message content to neutral blocks, plus the data that these cannot express."""

from __future__ import annotations

from typing import Any

from langchain_threadkeep.json_values import TAG, Packed, pack, unpack
from threadkeep.messages import langchain_content

Block = dict[str, Any]


def to_neutral(content: str | list[Any]) -> tuple[str | list[Block], Packed | None]:
    """Return the neutral content and the original parts, `None` if the content is equivalent.

    Long texts and payloads are stored once: the parts refer to the block that holds them.
    """
    packed_content = content if isinstance(content, str) else [pack(part) for part in content]
    return langchain_content.read(packed_content, "message")


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


def _resolve_references(value: Packed, block: Block) -> Packed:
    if isinstance(value, list):
        return [_resolve_references(element, block) for element in value]
    if not isinstance(value, dict):
        return value
    match value.get(TAG):
        case "ref":
            return block[value["v"]]
        case "data":
            return langchain_content.data_url(block)
    return {key: _resolve_references(element, block) for key, element in value.items()}
