"""Content: every provider's parts as neutral blocks, keys as in LangChain's v1 content blocks.

Neutral types are `text image audio video file reasoning json opaque`. A part nobody here knows
is carried whole as `{"type": "opaque", "value": part}`.
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


def content(value: object, where: str) -> str | list[Block]:
    """The content of a message: a text as it is, a list of parts as blocks, `None` as `""`.

    Raises:
        InputError: it is something else, by name of the field.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return [block(part, f"{where}.content[{n}]") for n, part in enumerate(value)]
    if isinstance(value, Mapping):
        return [{"type": "json", "value": dict(value)}]
    raise InputError(
        f"{where}.content must be a str, a list of parts or a dict, got {type(value).__name__}"
    )


def kinds(value: object) -> set[str]:
    """The types that the parts of a content say they have."""
    parts = value if isinstance(value, (list, tuple)) else ()
    said = [part.get("type") for part in parts if isinstance(part, Mapping)]
    return {kind for kind in said if isinstance(kind, str)}


def block(part: object, where: str) -> Block:
    """One part as a neutral block.

    Raises:
        InputError: it is no text and no dict with a `type`, or its text is no text.
    """
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, Mapping):
        raise InputError(f"{where} must be a str or a dict, got {type(part).__name__}")
    kind = part.get("type")
    if not isinstance(kind, str):
        raise InputError(f"{where}.type must be a str, got {type(kind).__name__}")
    if kind in _TEXTS:
        return _text(part, _TEXTS[kind], where)
    reader = _READERS.get(kind)
    return (reader and reader(part)) or {"type": "opaque", "value": dict(part)}


def blocks(words: str | list[Block]) -> list[Block]:
    """Content as blocks; none for an empty text."""
    if isinstance(words, str):
        return [{"type": "text", "text": words}] if words else []
    return words


def plain(words: str | list[Block]) -> str:
    """The content as one text, for places that take nothing else; media by name."""
    if isinstance(words, str):
        return words
    return "\n".join(said for said in map(describe, words) if said)


def describe(block: Block) -> str:
    """A block in words, for a provider that has no place for it."""
    kind = block["type"]
    if kind == "text":
        return str(block["text"])
    if kind == "reasoning":
        return ""  # private to the model that thought it
    if kind == "json":
        return json.dumps(block.get("value"), ensure_ascii=False)
    if kind == "opaque":
        value = block.get("value")
        return f"[{value.get('type', 'content') if isinstance(value, dict) else 'content'}]"
    name = block.get("extras", {}).get("filename") or block.get("url") or block.get("file_id")
    return f"[{kind}: {name}]" if name else f"[{kind}]"


def openai_file(block: Block) -> bool:
    """Whether it names a file kept at OpenAI; ids of Anthropic's begin with `file_`."""
    return bool(block.get("file_id")) and not str(block["file_id"]).startswith("file_")


def data_url(block: Block, fallback: str) -> str:
    """The url of a media block, or its bytes as a `data:` URL."""
    if block.get("base64") is None:
        return str(block.get("url") or "")
    return f"data:{block.get('mime_type') or fallback};base64,{block['base64']}"


def media(kind: str, source: str | None = None, **fields: Any) -> Block | None:
    """A media block from a URL (a `data:` URL is taken apart) and fields that are not `None`."""
    found: Block = {"type": kind}
    if source is not None and source.startswith("data:") and ";base64," in source:
        mime, _, data = source.removeprefix("data:").partition(";base64,")
        found |= {"base64": data, "mime_type": mime}
    elif source is not None:
        found["url"] = source
    extras = {key: value for key, value in (fields.pop("extras", None) or {}).items() if value}
    found |= {key: value for key, value in fields.items() if value is not None}
    if extras:
        found["extras"] = extras
    return found if any(found.get(key) is not None for key in _SOURCES) else None


_TEXTS: Final = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "summary_text": "text",
    "reasoning_text": "text",
    "refusal": "refusal",
}


def _text(part: Part, key: str, where: str) -> Block:
    said = part.get(key)
    if not isinstance(said, str):
        raise InputError(f"{where}.{key} must be a str, got {type(said).__name__}")
    extras = {"refusal": True} if key == "refusal" else dict(part.get("extras") or {})
    extras |= {name: part[name] for name in ("cache_control", "citations") if part.get(name)}
    return {"type": "text", "text": said, **({"extras": extras} if extras else {})}


def _neutral(part: Part) -> Block | None:
    """A media part that already is neutral, or Anthropic's, whose source stands apart."""
    source = part.get("source")
    if isinstance(source, Mapping):
        return _anthropic("file" if part["type"] == "document" else part["type"], part, source)
    known = any(isinstance(part.get(key), str) for key in _SOURCES)
    return dict(part) if known and part["type"] in _MEDIA else None


def _anthropic(kind: str, part: Part, source: Part) -> Block | None:
    extras = {"filename": part.get("title"), "cache_control": part.get("cache_control")}
    match source.get("type"):
        case "base64":
            fields = {"base64": source.get("data"), "mime_type": source.get("media_type")}
        case "url":
            fields = {"url": source.get("url")}
        case "file":
            fields = {"file_id": source.get("file_id")}
        case _:
            return None
    return media(kind, **fields, extras=extras)


def _image_url(part: Part) -> Block | None:
    image = part.get("image_url")
    image = {"url": image} if isinstance(image, str) else image
    if not isinstance(image, Mapping) or not isinstance(image.get("url"), str):
        return None
    return media("image", image["url"], extras={"detail": image.get("detail")})


def _input_image(part: Part) -> Block | None:
    extras = {"detail": part.get("detail")}
    return media("image", part.get("image_url"), file_id=part.get("file_id"), extras=extras)


def _input_audio(part: Part) -> Block | None:
    audio = part.get("input_audio")
    if not isinstance(audio, Mapping) or not isinstance(audio.get("data"), str):
        return None
    return media("audio", base64=audio["data"], mime_type=f"audio/{audio.get('format', 'wav')}")


def _file(part: Part) -> Block | None:
    inner = part.get("file")
    return _file_fields(inner) if isinstance(inner, Mapping) else _neutral(part)


def _file_fields(part: Part) -> Block | None:
    return media(
        "file",
        part.get("file_data") or part.get("file_url"),
        file_id=part.get("file_id"),
        extras={"filename": part.get("filename")},
    )


def _reasoning(part: Part) -> Block | None:
    return dict(part) if isinstance(part.get("reasoning"), str) else None


def _thinking(part: Part) -> Block | None:
    thought: Block = {"type": "reasoning", "reasoning": str(part.get("thinking") or "")}
    if part.get("signature"):
        thought["extras"] = {"signature": part["signature"]}
    return thought


def _redacted(part: Part) -> Block | None:
    return {"type": "reasoning", "reasoning": "", "extras": {"redacted": part.get("data")}}


def _whole(part: Part) -> Block | None:
    return dict(part) if "value" in part else None


_READERS: Final[Mapping[str, Callable[[Part], Block | None]]] = {
    "image": _neutral,
    "audio": _neutral,
    "video": _neutral,
    "document": _neutral,
    "file": _file,
    "image_url": _image_url,
    "input_image": _input_image,
    "input_audio": _input_audio,
    "input_file": _file_fields,
    "reasoning": _reasoning,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "json": _whole,
    "opaque": _whole,
}
