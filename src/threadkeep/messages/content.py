"""Convert content parts of every provider to neutral blocks, as LangChain's v1 content blocks.

Neutral types are `text image audio video file reasoning json opaque`. An unknown part
is carried unchanged as `{"type": "opaque", "value": part}`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.types import Json

Block = dict[str, Json]
Part = Mapping[str, Any]

_MEDIA: Final = ("image", "audio", "video", "file")
_SOURCES: Final = ("url", "base64", "file_id")


def parse_content(value: object, location: str) -> str | list[Block]:
    """Parse message content: a str unchanged, a list of parts as blocks, `None` as `""`.

    Raises:
        InputError: it is something else; the field is named.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return [
            parse_block(part, f"{location}.content[{part_number}]")
            for part_number, part in enumerate(value)
        ]
    if isinstance(value, Mapping):
        return [{"type": "json", "value": dict(value)}]
    raise InputError(
        f"{location}.content must be a str, a list of parts or a dict, got {type(value).__name__}"
    )


def part_types(value: object) -> set[str]:
    """The `type` values among the parts of a content."""
    parts = value if isinstance(value, (list, tuple)) else ()
    type_values = [part.get("type") for part in parts if isinstance(part, Mapping)]
    return {type_value for type_value in type_values if isinstance(type_value, str)}


def parse_block(part: object, location: str) -> Block:
    """One part as a neutral block.

    Raises:
        InputError: it is neither a str nor a dict with a `type`, or its text is not a str.
    """
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, Mapping):
        raise InputError(f"{location} must be a str or a dict, got {type(part).__name__}")
    part_type = part.get("type")
    if not isinstance(part_type, str):
        raise InputError(f"{location}.type must be a str, got {type(part_type).__name__}")
    if part_type in _TEXT_KEYS:
        return _text_block(part, _TEXT_KEYS[part_type], location)
    part_parser = _PARSERS.get(part_type)
    return (part_parser and part_parser(part)) or {"type": "opaque", "value": dict(part)}


def as_blocks(content: str | list[Block]) -> list[Block]:
    """Content as blocks; none for an empty text."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content


def plain_text(content: str | list[Block]) -> str:
    """The content as one plain text; media are described."""
    if isinstance(content, str):
        return content
    return "\n".join(text for text in map(describe, content) if text)


def describe(block: Block) -> str:
    """A text that stands for a block, for a provider that does not support its type."""
    block_type = block["type"]
    if block_type == "text":
        return str(block["text"])
    if block_type == "reasoning":
        return ""  # private to the model that wrote it
    if block_type == "json":
        return json.dumps(block.get("value"), ensure_ascii=False)
    if block_type == "opaque":
        value = block.get("value")
        return f"[{value.get('type', 'content') if isinstance(value, dict) else 'content'}]"
    source_name = (
        block.get("extras", {}).get("filename") or block.get("url") or block.get("file_id")
    )
    return f"[{block_type}: {source_name}]" if source_name else f"[{block_type}]"


def spoken_text(block: Block) -> str:
    """What a model itself said in a block: no name of a part may be put into its mouth."""
    return describe(block) if block["type"] in SPOKEN else ""


SPOKEN: Final = frozenset({"text", "json"})
"""The types of blocks that every model reads as words."""


def is_openai_file(block: Block) -> bool:
    """Return True for a file id of OpenAI; Anthropic's ids begin with `file_`."""
    return bool(block.get("file_id")) and not str(block["file_id"]).startswith("file_")


def data_url(block: Block, fallback: str) -> str:
    """The url of a media block, or its bytes as a `data:` URL."""
    if block.get("base64") is None:
        return str(block.get("url") or "")
    return f"data:{block.get('mime_type') or fallback};base64,{block['base64']}"


def media_block(kind: str, source: str | None = None, **fields: Any) -> Block | None:
    """A media block from a URL (a `data:` URL is decoded) and fields that are not `None`."""
    block: Block = {"type": kind}
    if source is not None and source.startswith("data:") and ";base64," in source:
        mime_type, _, base64_data = source.removeprefix("data:").partition(";base64,")
        block |= {"base64": base64_data, "mime_type": mime_type}
    elif source is not None:
        block["url"] = source
    extras = {key: value for key, value in (fields.pop("extras", None) or {}).items() if value}
    block |= {key: value for key, value in fields.items() if value is not None}
    if extras:
        block["extras"] = extras
    return block if any(block.get(key) is not None for key in _SOURCES) else None


_TEXT_KEYS: Final = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "summary_text": "text",
    "reasoning_text": "text",
    "refusal": "refusal",
}


def _text_block(part: Part, key: str, location: str) -> Block:
    part_text = part.get(key)
    if not isinstance(part_text, str):
        raise InputError(f"{location}.{key} must be a str, got {type(part_text).__name__}")
    extras = {"refusal": True} if key == "refusal" else dict(part.get("extras") or {})
    extras |= {name: part[name] for name in ("cache_control", "citations") if part.get(name)}
    return {"type": "text", "text": part_text, **({"extras": extras} if extras else {})}


def _video_url(part: Part) -> Block | None:
    video = part.get("video_url")
    url = video.get("url") if isinstance(video, Mapping) else video
    return media_block("video", url) if isinstance(url, str) and url else None


def _neutral_media(part: Part) -> Block | None:
    """A media part that is neutral already, or Anthropic's with a nested `source`."""
    source = part.get("source")
    if isinstance(source, Mapping):
        return _anthropic("file" if part["type"] == "document" else part["type"], part, source)
    has_source = any(isinstance(part.get(source_key), str) for source_key in _SOURCES)
    return dict(part) if has_source and part["type"] in _MEDIA else None


def _anthropic(kind: str, part: Part, source: Part) -> Block | None:
    extras = {"filename": part.get("title"), "cache_control": part.get("cache_control")}
    match source.get("type"):
        case "base64":
            media_fields = {"base64": source.get("data"), "mime_type": source.get("media_type")}
        case "url":
            media_fields = {"url": source.get("url")}
        case "file":
            media_fields = {"file_id": source.get("file_id")}
        case _:
            return None
    return media_block(kind, **media_fields, extras=extras)


def _image_url(part: Part) -> Block | None:
    image = part.get("image_url")
    image = {"url": image} if isinstance(image, str) else image
    if not isinstance(image, Mapping) or not isinstance(image.get("url"), str):
        return None
    return media_block("image", image["url"], extras={"detail": image.get("detail")})


def _input_image(part: Part) -> Block | None:
    extras = {"detail": part.get("detail")}
    return media_block("image", part.get("image_url"), file_id=part.get("file_id"), extras=extras)


def _input_audio(part: Part) -> Block | None:
    audio = part.get("input_audio")
    if not isinstance(audio, Mapping) or not isinstance(audio.get("data"), str):
        return None
    return media_block(
        "audio", base64=audio["data"], mime_type=f"audio/{audio.get('format', 'wav')}"
    )


def _file(part: Part) -> Block | None:
    file_fields = part.get("file")
    return _file_block(file_fields) if isinstance(file_fields, Mapping) else _neutral_media(part)


def _file_block(part: Part) -> Block | None:
    return media_block(
        "file",
        part.get("file_data") or part.get("file_url"),
        file_id=part.get("file_id"),
        extras={"filename": part.get("filename")},
    )


def _reasoning(part: Part) -> Block | None:
    return dict(part) if isinstance(part.get("reasoning"), str) else None


def _thinking(part: Part) -> Block | None:
    reasoning_block: Block = {"type": "reasoning", "reasoning": str(part.get("thinking") or "")}
    if part.get("signature"):
        reasoning_block["extras"] = {"signature": part["signature"]}
    return reasoning_block


def _redacted(part: Part) -> Block | None:
    return {"type": "reasoning", "reasoning": "", "extras": {"redacted": part.get("data")}}


def _with_value(part: Part) -> Block | None:
    return dict(part) if "value" in part else None


_PARSERS: Final[Mapping[str, Callable[[Part], Block | None]]] = {
    "image": _neutral_media,
    "audio": _neutral_media,
    "video": _neutral_media,
    "document": _neutral_media,
    "file": _file,
    "image_url": _image_url,
    "video_url": _video_url,
    "input_image": _input_image,
    "input_audio": _input_audio,
    "input_file": _file_block,
    "reasoning": _reasoning,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "json": _with_value,
    "opaque": _with_value,
}
