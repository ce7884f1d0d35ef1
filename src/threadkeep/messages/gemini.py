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
    grouped = contributions(items)
    contents: list[Content] = []
    for contribution in grouped:
        for content in _contents(contribution):
            _append(contents, content)
    if items and (not contents or contents[0]["role"] != "user"):
        _prepend(contents)
    _sign_running_calls(contents)
    heads = [head for contribution in grouped for head in contribution.heads]
    system = [plain_text(head.content) for head in heads if _is_system(head)]
    text = sanitize("\n\n".join(part for part in system if part.strip()))
    return GeminiContents(sanitize_messages(contents), text)


def _contents(contribution: Contribution) -> list[Content]:
    names = {call["id"]: call.get("name") for h in contribution.heads for call in h.tool_calls}
    contents = [
        {"role": _role(head), "parts": _parts(head)}
        for head in contribution.heads
        if not _is_system(head)
    ]
    responses = [_response(result, names) for result in contribution.results]
    return [*contents, {"role": "user", "parts": responses}]


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
    for content in reversed(contents):
        if content["role"] == "user" and any("functionResponse" not in p for p in content["parts"]):
            return
        calls = [part for part in content["parts"] if "functionCall" in part]
        if calls:
            calls[0].setdefault("thoughtSignature", _signature(UNSIGNED))


def _role(item: Item) -> str:
    return "model" if role_of(item) == "assistant" else "user"


def _is_system(item: Item) -> bool:
    return role_of(item) in _SYSTEM_ROLES and item.role not in {"tool", "function"}


def _parts(item: Item) -> list[Part]:
    if item.type == "reasoning" and not item.tool_calls:
        return []
    model = _role(item) == "model"
    silent = isinstance(item.content, str) and is_unspoken(item)
    blocks = [] if silent else as_blocks(item.content)
    parts = [part for block in blocks if (part := _part(block, model))]
    calls = [_call(call) for call in item.tool_calls]
    continuation = continuation_of(item)
    if continuation is not None:
        if parts and (signature := _signature(continuation.message)):
            parts[-1]["thoughtSignature"] = signature
        for part, fields in zip(calls, continuation.calls, strict=False):
            if signature := _signature(fields):
                part["thoughtSignature"] = signature
    return [*parts, *calls]


def _signature(fields: Mapping[str, Any]) -> str:
    extra = fields.get("extra_content")
    google = extra.get("google") if isinstance(extra, Mapping) else None
    signature = google.get("thought_signature") if isinstance(google, Mapping) else None
    return signature if isinstance(signature, str) else ""


def _part(block: Block, model: bool) -> Part | None:
    if not model and (media := _media(block)):
        return media
    text = spoken_text(block) if model else describe(block)
    return {"text": text} if text.strip() else None


def _media(block: Block) -> Part | None:
    mime = block.get("mime_type") or _MIME_TYPES.get(block["type"])
    if mime is None:
        return None
    if block.get("base64"):
        return {"inlineData": {"mimeType": mime, "data": block["base64"]}}
    url = block.get("url")
    if isinstance(url, str) and _STORED_URL.fullmatch(url):
        return {"fileData": {"mimeType": mime, "fileUri": url}}
    return None


def _call(call: dict[str, Json]) -> Part:
    arguments = call.get("args")
    arguments = arguments if isinstance(arguments, dict) else {"input": arguments}
    return {"functionCall": {"name": tool_name(call.get("name")), "args": arguments}}


def _response(result: Item, names: Mapping[Any, str | None]) -> Part:
    name = tool_name(names.get(result.tool_call_id) or result.name)
    return {"functionResponse": {"name": name, "response": _output(result)}}


def _output(result: Item) -> dict[str, Json]:
    """The result as an object, with the keys that Gemini knows."""
    blocks = as_blocks(result.content)
    if len(blocks) == 1 and blocks[0]["type"] == "json" and isinstance(blocks[0]["value"], dict):
        return dict(blocks[0]["value"])
    key = "error" if result.status == "error" else "output"
    return {key: plain_text(result.content)}
