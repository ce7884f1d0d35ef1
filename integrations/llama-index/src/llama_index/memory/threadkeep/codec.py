"""Convert `ChatMessage` to `Item` and back, lossless for messages that LlamaIndex wrote."""

from __future__ import annotations

from typing import Any, Final, get_args

from llama_index.core.base.llms.types import (
    ChatMessage,
    ContentBlock,
    MessageRole,
    TextBlock,
    ToolCallBlock,
)
from llama_index.core.bridge.pydantic import BaseModel, ValidationError

from threadkeep import Item
from threadkeep.adapters.json_values import as_json
from threadkeep.adapters.plain_items import PLAIN_ROLES, is_plain_text
from threadkeep.errors import InputError
from threadkeep.messages import parse, parse_arguments
from threadkeep.messages.llama_index import (
    BYTES,
    encode_streams,
    neutral_block,
    without_stored_bytes,
)

FORMAT: Final = "llama-index/1"
_BLOCK_REFERENCE: Final = (
    "threadkeep_block"  # refers to the bytes of the neutral block with that index
)
_ROLES: Final = {
    MessageRole.CHATBOT: "assistant",
    MessageRole.MODEL: "assistant",
    MessageRole.FUNCTION: "tool",
}
_CLASSES: Final[dict[str, type[BaseModel]]] = {
    str(kind.model_fields["block_type"].default): kind
    for kind in get_args(get_args(ContentBlock)[0])
}


def to_item(message: ChatMessage, location: str = "message") -> Item:
    """Convert a message to an item, which `to_message` converts back to an equal message.

    Raises:
        InputError: a value in it is not JSON; the error names it.
    """
    if (text := _plain_text(message)) is not None:
        return Item(role=message.role.value, content=text)
    dump = _dump(message, location)
    blocks: list[dict[str, Any]] = dump["blocks"]
    neutral_blocks = [neutral_block(block) for block in blocks]
    content_blocks = [block for block in neutral_blocks if block is not None]
    kwargs = dump["additional_kwargs"]
    role = _ROLES.get(message.role, str(message.role.value))
    item = Item(
        type="tool_result" if role == "tool" else "message",
        role=role,
        name=_text(kwargs.get("name")),
        content=_content(blocks, content_blocks),
        tool_calls=_calls(blocks, kwargs),
        tool_call_id=_text(kwargs.get("tool_call_id")) if role == "tool" else None,
    )
    (item,) = parse(item, location)  # the same validation as for all other input
    stored_dump = {**dump, "blocks": without_stored_bytes(blocks, neutral_blocks)}
    return Item(**{**_fields(item), "raw": {"format": FORMAT, "data": stored_dump}})


def to_message(item: Item) -> ChatMessage | None:
    """Return the message as LlamaIndex wrote it; `None` if another framework wrote the item."""
    if is_plain_text(item):
        return ChatMessage(role=MessageRole(item.role), content=item.content)
    if item.raw is None or item.raw.get("format") != FORMAT:
        return None
    try:
        return _stored_message(item, item.raw["data"])
    except (KeyError, TypeError, ValueError, AttributeError):  # of another shape: what is neutral
        return None


def _stored_message(item: Item, stored: dict[str, Any]) -> ChatMessage:
    blocks = _restore_bytes([dict(block) for block in stored["blocks"]], item.content)
    dump = {**stored, "additional_kwargs": dict(stored["additional_kwargs"]), "blocks": blocks}
    try:
        return ChatMessage.model_validate(dump)
    except ValidationError:
        return _lenient_message(dump)


def _dump(message: ChatMessage, location: str) -> dict[str, Any]:
    try:
        blocks = [_with_json_arguments(_read_stream(block)) for block in message.blocks]
        kwargs = as_json(message.additional_kwargs, any_type=True)
        message_copy = message.model_copy(update={"blocks": blocks, "additional_kwargs": kwargs})
        return message_copy.model_dump(mode="json")
    except (ValueError, RecursionError) as error:
        raise InputError(f"{location} cannot be stored as JSON: {error}") from error


def _with_json_arguments(block: Any) -> Any:
    """The block with arguments that JSON has: Pydantic would write `null` for `NaN`."""
    if not isinstance(block, ToolCallBlock) or isinstance(block.tool_kwargs, str):
        return block
    arguments = as_json(parse_arguments(block.tool_kwargs), any_type=True)
    return block.model_copy(update={"tool_kwargs": arguments})


def _read_stream(block: Any) -> Any:
    """Return the block with its byte stream, if any, read and encoded as base64."""
    encoded_fields = encode_streams(block)
    return block.model_copy(update=encoded_fields) if encoded_fields else block


def _content(blocks: list[dict[str, Any]], content_blocks: list[dict[str, Any]]) -> str | list[Any]:
    if _is_plain_text(blocks):
        return str(blocks[0]["text"])
    return content_blocks or ""


def _is_plain_text(blocks: list[dict[str, Any]]) -> bool:
    return len(blocks) == 1 and blocks[0]["block_type"] == "text"


def _calls(blocks: list[dict[str, Any]], extra_kwargs: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls of tool call blocks; in older messages those of `additional_kwargs`."""
    call_blocks = [block for block in blocks if block["block_type"] == "tool_call"]
    if call_blocks:
        return [
            {"id": b["tool_call_id"] or "", "name": b["tool_name"], "args": b["tool_kwargs"]}
            for b in call_blocks
        ]
    try:
        (item,) = parse(
            {"role": "assistant", "content": "", "tool_calls": extra_kwargs.get("tool_calls") or []}
        )
    except InputError:
        return []
    return item.tool_calls


def _plain_text(message: ChatMessage) -> str | None:
    """The text of a message with nothing but that and a role that all frameworks know."""
    if message.additional_kwargs or len(message.blocks) != 1:
        return None
    block = message.blocks[0]
    is_plain = type(block) is TextBlock and message.role.value in PLAIN_ROLES
    return block.text if is_plain and isinstance(block, TextBlock) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _fields(item: Item) -> dict[str, Any]:
    return {name: getattr(item, name) for name in Item.__slots__}


def _restore_bytes(blocks: list[dict[str, Any]], content: str | list[dict[str, Any]]) -> list[Any]:
    for block in blocks:
        bytes_field = BYTES.get(block.get("block_type", ""), "")
        reference = block.get(bytes_field)
        if isinstance(reference, dict):
            block[bytes_field] = content[reference[_BLOCK_REFERENCE]]["base64"]  # type: ignore[index]  # it is a list
    return blocks


def _lenient_message(data: dict[str, Any]) -> ChatMessage:
    """Build the message even if LlamaIndex no longer accepts one of its blocks."""
    blocks = [_block(block) for block in data["blocks"]]
    return ChatMessage(
        role=data["role"], blocks=blocks, additional_kwargs=data["additional_kwargs"]
    )


def _block(data: dict[str, Any]) -> Any:
    """Build a block, unvalidated if its file is missing; a placeholder if its type is unknown."""
    block_class = _CLASSES.get(data.get("block_type", ""))
    if block_class is None:
        return TextBlock(text=f"[{data.get('block_type')}]")
    try:
        return block_class.model_validate(data)
    except ValidationError:
        return block_class.model_construct(**data)
