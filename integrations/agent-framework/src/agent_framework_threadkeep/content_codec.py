"""Convert contents (as dumped to JSON) to neutral blocks, calls and results, and back."""

from __future__ import annotations

import json
from typing import Any, Final

from threadkeep.adapters.codec import media_block
from threadkeep.messages import parse_arguments

Part = dict[str, Any]
Block = dict[str, Any]

_BLOCK: Final = "threadkeep_block"
"""Refers to the bytes of the neutral block with that index."""

_SILENT: Final = frozenset({"function_call", "usage"})


def to_block(part: Part) -> Block | None:
    """The neutral block; `None` for a call or counts, which have fields of their own."""
    part_type = part["type"]
    if part_type in _SILENT:
        return None
    if part_type == "text":
        return {"type": "text", "text": part.get("text") or ""}
    if part_type == "text_reasoning":
        return {"type": "reasoning", "reasoning": part.get("text") or ""}
    if part_type == "error":
        return {"type": "text", "text": part.get("message") or "error"}
    if part_type in {"data", "uri"} and isinstance(uri := part.get("uri"), str):
        uri_prefix, separator, data = uri.partition(";base64,")
        source = {"base64": data} if separator and uri_prefix.startswith("data:") else {"url": uri}
        return media_block(part.get("media_type") or uri_prefix.removeprefix("data:"), **source)
    return {"type": "opaque", "value": part}


def to_call(part: Part) -> dict[str, Any]:
    """The neutral call of a function call."""
    arguments = parse_arguments(part.get("arguments"))
    return {"id": part.get("call_id") or "", "name": part.get("name") or "", "args": arguments}


def result_text(part: Part) -> str:
    """The text of a function's result."""
    result = part.get("result")
    if isinstance(result, str):
        return result
    texts = [item["text"] for item in part.get("items") or () if item.get("type") == "text"]
    if texts:
        return "\n".join(texts)
    return "" if result is None else json.dumps(result, ensure_ascii=False)


def packed_result(part: Part) -> Part:
    """A function's result as it is stored: its text once, where a window that cuts it looks."""
    text, items = result_text(part), part.get("items") or []
    other_fields = {key: value for key, value in part.items() if key not in {"result", "items"}}
    if items == [{"type": "text", "text": text, **_properties(items)}] and part["result"] == text:
        return {**other_fields, "output": text, "properties": _properties(items)}
    return {"json": json.dumps(part, ensure_ascii=False)}


def is_packed_result(stored: Part) -> bool:
    """Whether `packed_result` made it: results of hosted tools have an `output` of their own."""
    return "json" in stored or (stored.get("type") == "function_result" and "output" in stored)


def unpacked_result(stored: Part) -> Part:
    """Undoes `packed_result`."""
    if "json" in stored:
        return dict(json.loads(stored["json"]))
    other_fields = {k: value for k, value in stored.items() if k not in {"output", "properties"}}
    text = stored["output"]
    text_item = {"type": "text", "text": text, **stored["properties"]}
    return {**other_fields, "result": text, "items": [text_item]}


def without_bytes(part: Part, block: Block | None, block_index: int) -> Part:
    """The content with a reference in place of the bytes that a neutral block holds."""
    if block is None or "base64" not in block:
        return part
    uri_prefix = part["uri"].removesuffix(block["base64"])
    return {**part, "uri": {_BLOCK: block_index, "head": uri_prefix}}


def with_bytes(part: Part, content: Any) -> Part:
    """The content with its bytes; undoes `without_bytes`."""
    uri = part.get("uri")
    if not isinstance(uri, dict):
        return part
    return {**part, "uri": uri["head"] + content[uri[_BLOCK]]["base64"]}


def from_neutral(block: Block) -> Part | None:
    """The content for a block that another framework wrote; `None` for its model's thoughts."""
    block_type = block["type"]
    if block_type == "reasoning":
        return None
    if block_type == "text":
        return {"type": "text", "text": block["text"]}
    if block_type == "json":
        return {"type": "text", "text": json.dumps(block.get("value"), ensure_ascii=False)}
    mime = block.get("mime_type") or f"{block_type}/*"
    if block.get("base64"):
        return {"type": "data", "uri": f"data:{mime};base64,{block['base64']}", "media_type": mime}
    if block.get("url"):
        return {"type": "uri", "uri": block["url"], "media_type": mime}
    value = block.get("value")
    type_name = value.get("type", block_type) if isinstance(value, dict) else block_type
    return {"type": "text", "text": f"[{type_name}]"}


def _properties(items: list[Part]) -> Part:
    """What the only item of a result holds besides its text."""
    if len(items) != 1:
        return {}
    return {key: value for key, value in items[0].items() if key not in {"type", "text"}}
