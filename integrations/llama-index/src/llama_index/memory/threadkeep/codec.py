"""`ChatMessage` to `Item` and back: exact for what LlamaIndex wrote, whatever blocks it has."""

from __future__ import annotations

import base64
from typing import Any, Final, get_args

from llama_index.core.base.llms.types import ChatMessage, ContentBlock, MessageRole, TextBlock
from llama_index.core.bridge.pydantic import BaseModel, ValidationError

from llama_index.memory.threadkeep.content_codec import BYTES, to_neutral
from threadkeep import Item
from threadkeep.errors import InputError
from threadkeep.messages import parse

FORMAT: Final = "llama-index/1"
_STORED: Final = "threadkeep_block"  # stands for bytes that the neutral block of that place holds
_ROLES: Final = {
    MessageRole.CHATBOT: "assistant",
    MessageRole.MODEL: "assistant",
    MessageRole.FUNCTION: "tool",
}
_PLAIN: Final = frozenset({"user", "assistant", "system", "developer"})
_CLASSES: Final[dict[str, type[BaseModel]]] = {
    str(kind.model_fields["block_type"].default): kind
    for kind in get_args(get_args(ContentBlock)[0])
}


def to_item(message: ChatMessage, where: str = "message") -> Item:
    """The item of a message; `to_message` gives an equal message back.

    Raises:
        InputError: something in it is not JSON; it is named.
    """
    dump = _dumped(message, where)
    blocks: list[dict[str, Any]] = dump["blocks"]
    neutral = [to_neutral(block) for block in blocks]
    content = [part for part in neutral if part is not None]
    extra = dump["additional_kwargs"]
    role = _ROLES.get(message.role, str(message.role.value))
    item = Item(
        type="tool_result" if role == "tool" else "message",
        role=role,
        name=_text(extra.get("name")),
        content=_words(blocks, content),
        tool_calls=_calls(blocks, extra),
        tool_call_id=_text(extra.get("tool_call_id")) if role == "tool" else None,
    )
    if role in _PLAIN and not extra and _is_one_text(blocks) and role == message.role.value:
        return item
    (item,) = parse(item, where)  # as strict as any other door
    slim = {**dump, "blocks": _slim(blocks, neutral)}
    return Item(**{**_fields(item), "raw": {"format": FORMAT, "data": slim}})


def to_message(item: Item) -> ChatMessage | None:
    """The message as LlamaIndex wrote it, or `None` if it did not write this item."""
    if item.raw is None:
        if item.type != "message" or item.role not in _PLAIN or not isinstance(item.content, str):
            return None
        if item.tool_calls or item.name or item.tool_call_id:
            return None
        return ChatMessage(role=MessageRole(item.role), content=item.content)
    if item.raw.get("format") != FORMAT:
        return None
    stored = item.raw["data"]
    blocks = _whole([dict(block) for block in stored["blocks"]], item.content)
    data = {**stored, "additional_kwargs": dict(stored["additional_kwargs"]), "blocks": blocks}
    try:
        return ChatMessage.model_validate(data)
    except ValidationError:
        return _salvaged(data)


def _dumped(message: ChatMessage, where: str) -> dict[str, Any]:
    readable = [_in_bytes(block) for block in message.blocks]
    told = message.model_copy(update={"blocks": readable})
    try:
        return told.model_dump(mode="json")
    except ValueError as error:
        raise InputError(f"{where} cannot be stored as JSON: {error}") from error


def _in_bytes(block: Any) -> Any:
    """The block, a stream of bytes in it read to its end as base64."""
    field = BYTES.get(block.block_type, "")
    stream: Any = getattr(block, field, None)
    if not hasattr(stream, "read"):
        return block
    stream.seek(0)
    read = base64.b64encode(stream.read())
    stream.seek(0)
    return block.model_copy(update={field: read})


def _words(blocks: list[dict[str, Any]], content: list[dict[str, Any]]) -> str | list[Any]:
    if _is_one_text(blocks):
        return str(blocks[0]["text"])
    return content or ""


def _is_one_text(blocks: list[dict[str, Any]]) -> bool:
    return len(blocks) == 1 and blocks[0]["block_type"] == "text"


def _calls(blocks: list[dict[str, Any]], extra: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls of tool call blocks; of messages before there were such, of `additional_kwargs`."""
    called = [block for block in blocks if block["block_type"] == "tool_call"]
    if called:
        return [
            {"id": b["tool_call_id"] or "", "name": b["tool_name"], "args": b["tool_kwargs"]}
            for b in called
        ]
    try:
        (item,) = parse(
            {"role": "assistant", "content": "", "tool_calls": extra.get("tool_calls") or []}
        )
    except InputError:
        return []
    return item.tool_calls


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _fields(item: Item) -> dict[str, Any]:
    return {name: getattr(item, name) for name in Item.__slots__}


def _slim(blocks: list[dict[str, Any]], neutral: list[Any]) -> list[dict[str, Any]]:
    """The blocks, without bytes that stand in the neutral content already."""
    place, slim = 0, []
    for block, part in zip(blocks, neutral, strict=True):
        field = BYTES.get(block["block_type"], "")
        if part is not None and block.get(field) and part.get("base64") == block[field]:
            block = {**block, field: {_STORED: place}}
        slim.append(block)
        place += part is not None
    return slim


def _whole(blocks: list[dict[str, Any]], content: str | list[dict[str, Any]]) -> list[Any]:
    for block in blocks:
        field = BYTES.get(block.get("block_type", ""), "")
        kept = block.get(field)
        if isinstance(kept, dict):
            block[field] = content[kept[_STORED]]["base64"]  # type: ignore[index]  # it is a list
    return blocks


def _salvaged(data: dict[str, Any]) -> ChatMessage:
    """The message, though LlamaIndex would not read one of its blocks any more."""
    blocks = [_block(block) for block in data["blocks"]]
    return ChatMessage(
        role=data["role"], blocks=blocks, additional_kwargs=data["additional_kwargs"]
    )


def _block(data: dict[str, Any]) -> Any:
    """The block; one whose file is gone still says which it was, one of tomorrow says its type."""
    kind = _CLASSES.get(data.get("block_type", ""))
    if kind is None:
        return TextBlock(text=f"[{data.get('block_type')}]")
    try:
        return kind.model_validate(data)
    except ValidationError:
        return kind.model_construct(**data)
