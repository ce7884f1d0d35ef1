"""Read LlamaIndex messages, and their dumps, without importing LlamaIndex.

The payload is the one that `llama_index.memory.threadkeep` stores, which restores the message
from it.
"""

from __future__ import annotations

import base64
import enum
from collections.abc import Mapping
from pathlib import PurePath
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
    extra = dump.setdefault("additional_kwargs", {})
    blocks = dump["blocks"]
    _check_fields(dump, location)
    role = _role(dump["role"], location)
    neutral = [neutral_block(block) for block in blocks]
    item = Item(
        type="tool_result" if role == "tool" else "message",
        role=role,
        name=_text(extra.get("name")),
        content=_content(blocks, neutral),
        tool_calls=_calls(blocks, extra),
        tool_call_id=_text(extra.get("tool_call_id")) if role == "tool" else None,
    )
    if role == dump["role"] and role in _PLAIN_ROLES and not extra and _is_plain_text(blocks):
        return [item]
    stored = {**dump, "blocks": without_stored_bytes(blocks, neutral)}
    object.__setattr__(item, "raw", {"format": FORMAT, "data": stored})  # not shared yet
    return [item]


def _plain(value: Any) -> Any:
    """The value as JSON has it: `model_dump()` leaves enumerations, bytes, URLs and paths.

    What is of another type stays, and is refused where it is stored.
    """
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, bytes):
        return _base64(value)
    is_url = type(value).__module__.startswith("pydantic")
    return str(value) if is_url or isinstance(value, PurePath) else value


def _base64(content: bytes) -> str:
    """The bytes of a dump, which are base64 already unless they came from an open file."""
    try:
        base64.b64decode(content, validate=True)
    except ValueError:
        content = base64.b64encode(content)
    return content.decode()


def encode_streams(block: Any) -> dict[str, bytes]:
    """The open file of a block, if any, as base64; it is left at its beginning."""
    field = BYTES.get(block.block_type, "")
    stream: Any = getattr(block, field, None)
    if not hasattr(stream, "read"):
        return {}
    stream.seek(0)
    encoded = base64.b64encode(stream.read())
    stream.seek(0)
    return {field: encoded}


def _check_fields(dump: Mapping[str, Any], location: str) -> None:
    if not isinstance(dump["additional_kwargs"], Mapping):
        raise InputError(f"{location}.additional_kwargs must be a dict")
    for number, block in enumerate(dump["blocks"]):
        kind = block.get("block_type") if isinstance(block, Mapping) else None
        if not isinstance(kind, str):
            raise InputError(f"{location}.blocks[{number}] must be a dict with a block_type")
        if kind == "text" and not isinstance(block.get("text"), str):
            raise InputError(f"{location}.blocks[{number}].text must be a str")


def _role(role: object, location: str) -> str:
    if not isinstance(role, str) or not role:
        raise InputError(f"{location}.role must be a str, got {type(role).__name__}")
    check_role(role, f"{location}.role")
    return "tool" if role in RESULT_ROLES else ROLE_ALIASES.get(role, role)


def _content(blocks: list[Block], neutral: list[Block | None]) -> str | list[Block]:
    if _is_plain_text(blocks):
        return str(blocks[0]["text"])
    return [block for block in neutral if block is not None] or ""


def _is_plain_text(blocks: list[Block]) -> bool:
    return len(blocks) == 1 and blocks[0]["block_type"] == "text"


def _calls(blocks: list[Block], extra: Mapping[str, Any]) -> list[dict[str, Json]]:
    """The calls of tool call blocks; in older messages those of `additional_kwargs`."""
    calls = [
        {"id": b.get("tool_call_id") or "", "name": b.get("tool_name"), "args": b["tool_kwargs"]}
        for b in blocks
        if b["block_type"] == "tool_call" and isinstance(b.get("tool_kwargs"), (dict, str))
    ]
    older = extra.get("tool_calls")
    if calls or not isinstance(older, list) or not all(isinstance(c, Mapping) for c in older):
        return calls
    return neutral_calls({"tool_calls": older})


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
        case kind if kind in _KINDS and (media := _media(_KINDS[kind], block)):
            return media
    return {"type": "opaque", "value": {"type": block["block_type"], **block}}


def _reasoning(block: Mapping[str, Any]) -> Block:
    neutral: Block = {"type": "reasoning", "reasoning": block.get("content") or ""}
    information = block.get("additional_information")
    signature = information.get("signature") if isinstance(information, Mapping) else None
    return {**neutral, "extras": {"signature": signature}} if signature else neutral


def _join_texts(blocks: list[Any]) -> str:
    texts = [b for b in blocks if isinstance(b, Mapping) and b.get("block_type") == "text"]
    return "\n".join(str(block.get("text")) for block in texts)


def _media(kind: str, source: Mapping[str, Any]) -> Block | None:
    media: Block = {"type": kind}
    block = {key: value for key, value in source.items() if isinstance(value, str)}
    path, name = block.get("path"), block.get("title")
    if encoded := block.get(BYTES[block["block_type"]]):
        media["base64"] = encoded
    elif block.get("url"):
        media["url"] = block["url"]
    elif path:
        media["url"], name = f"file:{path}", name or PurePath(path).name
    else:
        return None
    mime = block.get(f"{block['block_type']}_mimetype")
    if block["block_type"] == "audio" and block.get("format"):
        mime = f"audio/{block['format']}"
    extras = {key: v for key, v in (("detail", block.get("detail")), ("filename", name)) if v}
    if mime:
        media["mime_type"] = mime
    return {**media, "extras": extras} if extras else media


def without_stored_bytes(blocks: list[Block], neutral: list[Block | None]) -> list[Block]:
    """Replace bytes that the neutral content holds already by references to it."""
    index, slim = 0, list[Block]()
    for block, part in zip(blocks, neutral, strict=True):
        field = BYTES.get(block["block_type"], "")
        if part is not None and block.get(field) and part.get("base64") == block[field]:
            block = {**block, field: {_BLOCK_REFERENCE: index}}
        slim.append(block)
        index += part is not None
    return slim


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
