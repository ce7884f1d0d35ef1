"""Convert the parts of a content (as dumped to JSON) to neutral blocks and calls, and back."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from threadkeep.adapters.codec import media_block

Part = dict[str, Any]
Block = dict[str, Any]

_BLOCK: Final = "threadkeep_block"
"""Refers to the bytes of the neutral block with that index."""

_RESULT_KEYS: Final = ("result", "output")


def to_block(part: Part) -> Block | None:
    """The neutral block of a part; `None` for a call, which goes into `Item.tool_calls`."""
    if "function_call" in part:
        return None
    if isinstance(text := part.get("text"), str):
        return {"type": "reasoning", "reasoning": text} if part.get("thought") else _text(text)
    if inline_data := part.get("inline_data"):
        media_bytes = base64.urlsafe_b64decode(inline_data.get("data") or "")
        return media_block(
            inline_data.get("mime_type"), base64=base64.b64encode(media_bytes).decode()
        )
    if file_data := part.get("file_data"):
        return media_block(file_data.get("mime_type"), url=file_data.get("file_uri") or "")
    if code := part.get("executable_code"):
        return _text(f"```{str(code.get('language') or '').lower()}\n{code.get('code') or ''}\n```")
    if outcome := part.get("code_execution_result"):
        return _text(f"```\n{outcome.get('output') or ''}\n```")
    return {"type": "opaque", "value": {"type": next(iter(part), "part"), **part}}


def to_call(part: Part) -> dict[str, Any]:
    """The neutral call of a function call; one without an id is known by its name."""
    call = part["function_call"]
    tool_name = call.get("name") or ""
    return {"id": call.get("id") or tool_name, "name": tool_name, "args": call.get("args") or {}}


def result_text(response: Mapping[str, Any]) -> tuple[str, str | None]:
    """The text of a function's response, and the key it is under; `None` = the text is JSON."""
    for key in _RESULT_KEYS:
        if response.keys() == {key} and isinstance(response[key], str):
            return response[key], key
    return json.dumps(response, ensure_ascii=False), None


def to_response(text: str, key: str | None) -> dict[str, Any]:
    """The response of a text; one that is no JSON object any more, since it was cut, is under
    `result`.
    """
    if key is not None:
        return {key: text}
    try:
        response = json.loads(text)
    except (ValueError, RecursionError):
        return {"result": text}
    return response if isinstance(response, dict) else {"result": text}


def without_bytes(part: Part, block: Block | None, block_index: int) -> Part:
    """The part with a reference in place of the bytes that a neutral block holds."""
    if block is None or "base64" not in block or not part.get("inline_data"):
        return part
    return {**part, "inline_data": {**part["inline_data"], "data": {_BLOCK: block_index}}}


def with_bytes(part: Part, content: str | Sequence[Block]) -> Part:
    """The part with its bytes; undoes `without_bytes`."""
    inline_bytes = (part.get("inline_data") or {}).get("data")
    if not isinstance(inline_bytes, dict):
        return part
    base64_text = content[inline_bytes[_BLOCK]]["base64"]  # type: ignore[index]  # it is a list
    return {**part, "inline_data": {**part["inline_data"], "data": _urlsafe(base64_text)}}


def from_neutral(block: Block) -> Part:
    """The part for a block that another framework wrote."""
    block_type = block["type"]
    if block_type == "text":
        return {"text": block["text"]}
    if block_type == "reasoning":
        return {"text": block.get("reasoning") or "", "thought": True}
    if block_type == "json":
        return {"text": json.dumps(block.get("value"), ensure_ascii=False)}
    mime_type = block.get("mime_type") or f"{block_type}/*"
    if block.get("base64"):
        return {"inline_data": {"data": _urlsafe(block["base64"]), "mime_type": mime_type}}
    if block.get("url"):
        return {"file_data": {"file_uri": block["url"], "mime_type": mime_type}}
    value = block.get("value")
    type_name = value.get("type", block_type) if isinstance(value, dict) else block_type
    return {"text": f"[{type_name}]"}


def _text(text: str) -> Block:
    return {"type": "text", "text": text}


def _urlsafe(base64_text: str) -> str:
    return base64_text.replace("+", "-").replace("/", "_")
