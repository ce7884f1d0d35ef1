"""Convert LlamaIndex content blocks (as dumped to JSON) to neutral blocks and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

from llama_index.core.base.llms.types import (
    AudioBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    VideoBlock,
)

Block = dict[str, Any]

BYTES: Final = {"image": "image", "audio": "audio", "video": "video", "document": "data"}
"""The field that holds the bytes of each type of block."""

_KINDS: Final = {"image": "image", "audio": "audio", "video": "video", "document": "file"}


def to_neutral(block: Mapping[str, Any]) -> Block | None:
    """Return the neutral block; `None` for a tool call, which goes into `Item.tool_calls`."""
    match block["block_type"]:
        case "text":
            return {"type": "text", "text": block["text"]}
        case "tool_call":
            return None
        case "thinking":
            return _reasoning(block)
        case "citable":
            text = _join_texts(block["content"])
            return {"type": "text", "text": text, "extras": {"title": block["title"]}}
        case "citation":
            text = _join_texts([block["cited_content"]])
            return {"type": "text", "text": text, "extras": {"source": block["source"]}}
        case kind if kind in _KINDS and (media := _media(_KINDS[kind], block)):
            return media
    return {"type": "opaque", "value": {"type": block["block_type"], **block}}


def from_neutral(block: Mapping[str, Any]) -> Any:
    """Return the LlamaIndex block for a block that another framework wrote."""
    kind = block["type"]
    if kind == "text":
        return TextBlock(text=block["text"])
    if kind == "reasoning":
        extras = dict(block.get("extras") or {})
        return ThinkingBlock(content=block.get("reasoning"), additional_information=extras)
    maker = _MAKERS.get(kind)
    source = _source(block, BYTES.get(kind, "data"))
    return maker(block, source) if maker and source else TextBlock(text=_placeholder(block))


def _image(block: Mapping[str, Any], source: Block) -> ImageBlock:
    detail = (block.get("extras") or {}).get("detail")
    return ImageBlock(**source, image_mimetype=block.get("mime_type"), detail=detail)


def _audio(block: Mapping[str, Any], source: Block) -> AudioBlock:
    format_ = str(block.get("mime_type") or "").partition("/")[2] or None
    return AudioBlock(**source, format=format_)


def _video(block: Mapping[str, Any], source: Block) -> VideoBlock:
    return VideoBlock(**source, video_mimetype=block.get("mime_type"))


def _file(block: Mapping[str, Any], source: Block) -> DocumentBlock:
    title = (block.get("extras") or {}).get("filename")
    return DocumentBlock(**source, title=title, document_mimetype=block.get("mime_type"))


_MAKERS: Final = {"image": _image, "audio": _audio, "video": _video, "file": _file}


def _reasoning(block: Mapping[str, Any]) -> Block:
    reasoning_block: Block = {"type": "reasoning", "reasoning": block.get("content") or ""}
    signature = (block.get("additional_information") or {}).get("signature")
    return {**reasoning_block, "extras": {"signature": signature}} if signature else reasoning_block


def _join_texts(blocks: list[Mapping[str, Any]]) -> str:
    return "\n".join(str(b["text"]) for b in blocks if b.get("block_type") == "text")


def _media(kind: str, block: Mapping[str, Any]) -> Block | None:
    media_block: Block = {"type": kind}
    path, file_name = block.get("path"), block.get("title")
    if block.get(BYTES[block["block_type"]]):
        media_block["base64"] = block[BYTES[block["block_type"]]]
    elif block.get("url"):
        media_block["url"] = str(block["url"])
    elif path:
        media_block["url"], file_name = f"file:{path}", file_name or PurePath(path).name
    else:
        return None
    mime_type = block.get(f"{block['block_type']}_mimetype")
    if block["block_type"] == "audio" and block.get("format"):
        mime_type = f"audio/{block['format']}"
    extras = {key: v for key, v in (("detail", block.get("detail")), ("filename", file_name)) if v}
    return {
        **media_block,
        **({"mime_type": mime_type} if mime_type else {}),
        **({"extras": extras} if extras else {}),
    }


def _source(block: Mapping[str, Any], field: str) -> Block | None:
    if block.get("base64"):
        return {field: str(block["base64"]).encode()}
    return {"url": block["url"]} if block.get("url") else None


def _placeholder(block: Mapping[str, Any]) -> str:
    value = block.get("value")
    content_type = value.get("type", "content") if isinstance(value, Mapping) else block["type"]
    return str(value) if block["type"] == "json" else f"[{block.get('file_id') or content_type}]"
