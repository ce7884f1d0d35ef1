"""Convert neutral blocks to LlamaIndex content blocks; `messages.llama_index` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llama_index.core.base.llms.types import (
    AudioBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    VideoBlock,
)
from llama_index.core.bridge.pydantic import ValidationError

from threadkeep.messages.llama_index import BYTES

Block = dict[str, Any]


def from_neutral(block: Mapping[str, Any]) -> Any:
    """Return the LlamaIndex block for a block that another framework wrote."""
    block_type = block["type"]
    if block_type == "text":
        return TextBlock(text=block["text"])
    if block_type == "reasoning":
        extras = dict(block.get("extras") or {})
        return ThinkingBlock(content=block.get("reasoning"), additional_information=extras)
    maker = _MAKERS.get(block_type)
    source = _source(block, BYTES.get(block_type, "data"))
    try:
        return maker(block, source) if maker and source else TextBlock(text=_placeholder(block))
    except ValidationError:  # such as an address that is no URL to LlamaIndex
        return TextBlock(text=_placeholder(block))


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


def _source(block: Mapping[str, Any], bytes_field: str) -> Block | None:
    if block.get("base64"):
        return {bytes_field: str(block["base64"]).encode()}
    return {"url": block["url"]} if block.get("url") else None


def _placeholder(block: Mapping[str, Any]) -> str:
    value = block.get("value")
    content_type = value.get("type", "content") if isinstance(value, Mapping) else block["type"]
    source_name = block.get("file_id") or block.get("url") or content_type
    return str(value) if block["type"] == "json" else f"[{source_name}]"
