"""Gemini: convert items to the contents of a `generateContent` request, in its JSON form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from threadkeep.messages.content import Block, as_blocks, describe, plain_text, spoken_text
from threadkeep.messages.continuation import UNSIGNED, continuation_of
from threadkeep.messages.spoken import is_unspoken
from threadkeep.messages.tool_pairs import (
    OMITTED,
    Contribution,
    contributions,
    role_of,
    sanitize,
    sanitize_messages,
    tool_name,
)
from threadkeep.types import Item, Json

Content = dict[str, Any]
Part = dict[str, Any]

_SYSTEM_ROLES: Final = frozenset({"system", "developer"})
_STORED_URL: Final = re.compile(
    r"gs://\S+|https://generativelanguage\.googleapis\.com/\S+|https://(www\.)?youtube\.com/\S+"
)
_MIME_TYPES: Final = {"image": "image/png", "audio": "audio/wav", "video": "video/mp4",
                      "file": "application/pdf"}  # fmt: skip


class GeminiContents(list[Any]):
    """The `contents` of a request, dicts, with the `system_instruction` text as an attribute."""

    def __init__(self, contents: Iterable[Content], system_instruction: str) -> None:
        super().__init__(contents)
        self.system_instruction = system_instruction


def to_gemini(items: Sequence[Item]) -> GeminiContents:
    """The `contents` of a request, and its `system_instruction` text as an attribute.

    Roles alternate, beginning with the user. Results follow their calls in the same order, which
    is how Gemini pairs them. Calls go out with the signatures that Gemini gave them; the calls of
    other models in the running turn with the one that Google documents for them. Thoughts are left
    out.
    """
    contribution_list = contributions(items)
    contents: list[Content] = []
    for contribution in contribution_list:
        for gemini_content in _contents(contribution):
            _append(contents, gemini_content)
    if items and (not contents or contents[0]["role"] != "user"):
        _prepend(contents)
    _sign_running_calls(contents)
    head_items = [item for contribution in contribution_list for item in contribution.heads]
    system_texts = [
        plain_text(head_item.content) for head_item in head_items if _is_system(head_item)
    ]
    system_text = sanitize(
        "\n\n".join(paragraph for paragraph in system_texts if paragraph.strip())
    )
    return GeminiContents(sanitize_messages(contents), system_text)


def _contents(contribution: Contribution) -> list[Content]:
    name_by_call_id = {
        tool_call["id"]: tool_call.get("name")
        for head_item in contribution.heads
        for tool_call in head_item.tool_calls
    }
    contents = [
        {"role": _role(head_item), "parts": _parts(head_item)}
        for head_item in contribution.heads
        if not _is_system(head_item)
    ]
    response_parts = [_response(result, name_by_call_id) for result in contribution.results]
    return [*contents, {"role": "user", "parts": response_parts}]


def _append(contents: list[Content], content: Content) -> None:
    if not content["parts"]:
        return
    if contents and contents[-1]["role"] == content["role"]:
        contents[-1]["parts"] += content["parts"]
    else:
        contents.append(content)


def _prepend(contents: list[Content]) -> None:
    contents.insert(0, {"role": "user", "parts": [{"text": OMITTED}]})


def _sign_running_calls(contents: list[Content]) -> None:
    """Sign the first call of each content behind the user's newest words, if nobody has."""
    for gemini_content in reversed(contents):
        if gemini_content["role"] == "user" and any(
            "functionResponse" not in part for part in gemini_content["parts"]
        ):
            return
        call_parts = [part for part in gemini_content["parts"] if "functionCall" in part]
        if call_parts:
            call_parts[0].setdefault("thoughtSignature", _signature(UNSIGNED))


def _role(item: Item) -> str:
    return "model" if role_of(item) == "assistant" else "user"


def _is_system(item: Item) -> bool:
    return role_of(item) in _SYSTEM_ROLES and item.role not in {"tool", "function"}


def _parts(item: Item) -> list[Part]:
    if item.type == "reasoning" and not item.tool_calls:
        return []
    is_model = _role(item) == "model"
    is_placeholder_text = isinstance(item.content, str) and is_unspoken(item)
    blocks = [] if is_placeholder_text else as_blocks(item.content)
    content_parts = [part for block in blocks if (part := _part(block, is_model))]
    call_parts = [_call(tool_call) for tool_call in item.tool_calls]
    continuation = continuation_of(item)
    if continuation is not None:
        if content_parts and (signature := _signature(continuation.message)):
            content_parts[-1]["thoughtSignature"] = signature
        for part, call_state in zip(call_parts, continuation.calls, strict=False):
            if signature := _signature(call_state):
                part["thoughtSignature"] = signature
    return [*content_parts, *call_parts]


def _signature(state_fields: Mapping[str, Any]) -> str:
    extra_content = state_fields.get("extra_content")
    google_fields = extra_content.get("google") if isinstance(extra_content, Mapping) else None
    signature = (
        google_fields.get("thought_signature") if isinstance(google_fields, Mapping) else None
    )
    return signature if isinstance(signature, str) else ""


def _part(block: Block, model: bool) -> Part | None:
    if not model and (media_part := _media(block)):
        return media_part
    block_text = spoken_text(block) if model else describe(block)
    return {"text": block_text} if block_text.strip() else None


def _media(block: Block) -> Part | None:
    mime_type = block.get("mime_type") or _MIME_TYPES.get(block["type"])
    if mime_type is None:
        return None
    if block.get("base64"):
        return {"inlineData": {"mimeType": mime_type, "data": block["base64"]}}
    url = block.get("url")
    if isinstance(url, str) and _STORED_URL.fullmatch(url):
        return {"fileData": {"mimeType": mime_type, "fileUri": url}}
    return None


def _call(tool_call: dict[str, Json]) -> Part:
    arguments = tool_call.get("args")
    arguments = arguments if isinstance(arguments, dict) else {"input": arguments}
    return {"functionCall": {"name": tool_name(tool_call.get("name")), "args": arguments}}


def _response(result: Item, name_by_call_id: Mapping[Any, str | None]) -> Part:
    valid_name = tool_name(name_by_call_id.get(result.tool_call_id) or result.name)
    return {"functionResponse": {"name": valid_name, "response": _output(result)}}


def _output(result: Item) -> dict[str, Json]:
    """The result as an object, with the keys that Gemini knows."""
    blocks = as_blocks(result.content)
    if len(blocks) == 1 and blocks[0]["type"] == "json" and isinstance(blocks[0]["value"], dict):
        return dict(blocks[0]["value"])
    output_key = "error" if result.status == "error" else "output"
    return {output_key: plain_text(result.content)}
