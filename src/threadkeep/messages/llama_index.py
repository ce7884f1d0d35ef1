"""Read LlamaIndex messages, and their dumps, without importing LlamaIndex.

The payload is the one that `llama_index.memory.threadkeep` stores, which restores the message
from it.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Mapping
from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.messages.checks import RESULT_ROLES, ROLE_ALIASES, check_role
from threadkeep.messages.content import Block
from threadkeep.messages.openai_chat import neutral_calls
from threadkeep.types import Item, Json

FORMAT: Final = "llama-index/1"

_BLOCK_REFERENCE: Final = "threadkeep_block"  # the neutral block that holds the bytes
_PLAIN_ROLES: Final = frozenset({"user", "assistant", "system", "developer"})
BYTES: Final = {"image": "image", "audio": "audio", "video": "video", "document": "data"}
"""The field that holds the bytes of each type of block."""

_KINDS: Final = {"image": "image", "audio": "audio", "video": "video", "document": "file"}


def is_message(message: object) -> bool:
    """Return True for an object of LlamaIndex' `ChatMessage`."""
    return any(
        base.__name__ == "ChatMessage" and base.__module__.startswith("llama_index.")
        for base in type(message).__mro__
    )


def is_dump(dump: Mapping[str, Any]) -> bool:
    """Return True for a dict of `message.model_dump()`, of this version or an older one."""
    if "role" not in dump or "type" in dump:
        return False
    return isinstance(dump.get("blocks"), list) or (
        isinstance(dump.get("additional_kwargs"), Mapping) and "content" in dump
    )


def read_message(message: Any, location: str) -> list[Item]:
    """Read a message object."""
    if hasattr(message, "blocks"):  # older versions have a text only
        blocks = [block.model_copy(update=encode_streams(block)) for block in message.blocks]
        message = message.model_copy(update={"blocks": blocks})
    return read_dump(message.model_dump(), location)


def read_dump(dumped: Mapping[str, Any], location: str) -> list[Item]:
    """Read a dumped message."""
    dump: dict[str, Any] = _plain(dumped)
    if not isinstance(dump.get("blocks"), list):
        dump["blocks"] = [{"block_type": "text", "text": dump.pop("content") or ""}]
    extra_kwargs = dump.setdefault("additional_kwargs", {})
    blocks = dump["blocks"]
    _check_fields(dump, location)
    role = _role(dump["role"], location)
    neutral_blocks = [neutral_block(block) for block in blocks]
    item = Item(
        type="tool_result" if role == "tool" else "message",
        role=role,
        name=_text(extra_kwargs.get("name")),
        content=_content(blocks, neutral_blocks),
        tool_calls=_calls(blocks, extra_kwargs),
        tool_call_id=_text(extra_kwargs.get("tool_call_id")) if role == "tool" else None,
    )
    if (
        role == dump["role"]
        and role in _PLAIN_ROLES
        and not extra_kwargs
        and _is_plain_text(blocks)
    ):
        return [item]
    stored_dump = {**dump, "blocks": without_stored_bytes(blocks, neutral_blocks)}
    object.__setattr__(item, "raw", {"format": FORMAT, "data": stored_dump})  # not shared yet
    return [item]


def _plain(value: Any) -> Any:
    """The value as JSON has it: `model_dump()` leaves enumerations, bytes, URLs and paths.

    What is of another type stays, and is refused where it is stored.
    """
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(element) for key, element in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(element) for element in value]
    if isinstance(value, bytes):
        return _base64(value)
    is_url = type(value).__module__.startswith("pydantic")
    return str(value) if is_url or isinstance(value, os.PathLike) else value


def _base64(content: bytes) -> str:
    """The bytes of a dump, which are base64 already unless they came from an open file."""
    import base64  # for media only, and slow to import

    try:
        base64.b64decode(content, validate=True)
    except ValueError:
        return base64.b64encode(content).decode()
    return content.decode()


def encode_streams(block: Any) -> dict[str, bytes]:
    """The open file of a block, if any, as base64; it is left at its beginning."""
    bytes_field = BYTES.get(block.block_type, "")
    stream: Any = getattr(block, bytes_field, None)
    if not hasattr(stream, "read"):
        return {}
    import base64

    stream.seek(0)
    encoded_bytes = base64.b64encode(stream.read())
    stream.seek(0)
    return {bytes_field: encoded_bytes}


def _check_fields(dump: Mapping[str, Any], location: str) -> None:
    if not isinstance(dump["additional_kwargs"], Mapping):
        raise InputError(f"{location}.additional_kwargs must be a dict")
    for block_number, block in enumerate(dump["blocks"]):
        block_type = block.get("block_type") if isinstance(block, Mapping) else None
        if not isinstance(block_type, str):
            raise InputError(f"{location}.blocks[{block_number}] must be a dict with a block_type")
        if block_type == "text" and not isinstance(block.get("text"), str):
            raise InputError(f"{location}.blocks[{block_number}].text must be a str")


def _role(role: object, location: str) -> str:
    if not isinstance(role, str) or not role:
        raise InputError(f"{location}.role must be a str, got {type(role).__name__}")
    check_role(role, f"{location}.role")
    return "tool" if role in RESULT_ROLES else ROLE_ALIASES.get(role, role)


def _content(blocks: list[Block], neutral_blocks: list[Block | None]) -> str | list[Block]:
    if _is_plain_text(blocks):
        return str(blocks[0]["text"])
    return [block for block in neutral_blocks if block is not None] or ""


def _is_plain_text(blocks: list[Block]) -> bool:
    return len(blocks) == 1 and blocks[0]["block_type"] == "text"


def _calls(blocks: list[Block], extra_kwargs: Mapping[str, Any]) -> list[dict[str, Json]]:
    """The calls of tool call blocks; in older messages those of `additional_kwargs`."""
    calls = [
        {
            "id": block.get("tool_call_id") or "",
            "name": block.get("tool_name"),
            "args": block["tool_kwargs"],
        }
        for block in blocks
        if block["block_type"] == "tool_call" and isinstance(block.get("tool_kwargs"), (dict, str))
    ]
    legacy_calls = extra_kwargs.get("tool_calls")
    if (
        calls
        or not isinstance(legacy_calls, list)
        or not all(isinstance(call, Mapping) for call in legacy_calls)
    ):
        return calls
    return neutral_calls({"tool_calls": legacy_calls})


def neutral_block(block: Mapping[str, Any]) -> Block | None:
    """The neutral block; `None` for a tool call, which goes into `Item.tool_calls`."""
    match block["block_type"]:
        case "text":
            return {"type": "text", "text": block["text"]}
        case "tool_call":
            return None
        case "thinking" if isinstance(block.get("content") or "", str):
            return _reasoning(block)
        case "citable" if isinstance(block.get("content"), list):
            extras = {"title": block.get("title")}
            return {"type": "text", "text": _join_texts(block["content"]), "extras": extras}
        case "citation" if isinstance(block.get("cited_content"), Mapping):
            extras = {"source": block.get("source")}
            return {"type": "text", "text": _join_texts([block["cited_content"]]), "extras": extras}
        case block_type if block_type in _KINDS and (
            neutral_media := _media(_KINDS[block_type], block)
        ):
            return neutral_media
    return {"type": "opaque", "value": {"type": block["block_type"], **block}}


def _reasoning(block: Mapping[str, Any]) -> Block:
    reasoning_block: Block = {"type": "reasoning", "reasoning": block.get("content") or ""}
    extra_information = block.get("additional_information")
    signature = (
        extra_information.get("signature") if isinstance(extra_information, Mapping) else None
    )
    return {**reasoning_block, "extras": {"signature": signature}} if signature else reasoning_block


def _join_texts(blocks: list[Any]) -> str:
    text_blocks = [
        block
        for block in blocks
        if isinstance(block, Mapping) and block.get("block_type") == "text"
    ]
    return "\n".join(str(block.get("text")) for block in text_blocks)


def _media(kind: str, source: Mapping[str, Any]) -> Block | None:
    neutral_media: Block = {"type": kind}
    text_fields = {key: value for key, value in source.items() if isinstance(value, str)}
    file_path, file_name = text_fields.get("path"), text_fields.get("title")
    if base64_text := text_fields.get(BYTES[text_fields["block_type"]]):
        neutral_media["base64"] = base64_text
    elif text_fields.get("url"):
        neutral_media["url"] = text_fields["url"]
    elif file_path:
        from pathlib import PurePath  # rarely needed

        neutral_media["url"], file_name = f"file:{file_path}", file_name or PurePath(file_path).name
    else:
        return None
    mime_type = text_fields.get(f"{text_fields['block_type']}_mimetype")
    if text_fields["block_type"] == "audio" and text_fields.get("format"):
        mime_type = f"audio/{text_fields['format']}"
    extras = {
        key: value
        for key, value in (("detail", text_fields.get("detail")), ("filename", file_name))
        if value
    }
    if mime_type:
        neutral_media["mime_type"] = mime_type
    return {**neutral_media, "extras": extras} if extras else neutral_media


def without_stored_bytes(blocks: list[Block], neutral_blocks: list[Block | None]) -> list[Block]:
    """Replace bytes that the neutral content holds already by references to it."""
    block_index, slim_blocks = 0, list[Block]()
    for block, part in zip(blocks, neutral_blocks, strict=True):
        bytes_field = BYTES.get(block["block_type"], "")
        if part is not None and block.get(bytes_field) and part.get("base64") == block[bytes_field]:
            block = {**block, bytes_field: {_BLOCK_REFERENCE: block_index}}
        slim_blocks.append(block)
        block_index += part is not None
    return slim_blocks


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
