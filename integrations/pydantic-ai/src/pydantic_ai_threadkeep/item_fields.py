"""What other frameworks, search and windows read of a message's parts: the fields of its items."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic_ai.messages import (
    AudioUrl,
    BaseToolReturnPart,
    BinaryContent,
    CachePoint,
    CompactionPart,
    FilePart,
    FileUrl,
    ImageUrl,
    ModelResponse,
    RetryFeedbackPart,
    RetryPromptPart,
    SpeechPart,
    SystemPromptPart,
    TextContent,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    UploadedFile,
    UserPromptPart,
    VideoUrl,
)

from threadkeep.adapters.codec import media_block, text_or_blocks

Fields = dict[str, Any]
Block = dict[str, Any]

NOTICE: Final[Fields] = {"type": "notice", "role": "system", "content": ""}
"""The fields of what is bookkeeping of the framework, and nothing that was said."""

_URL_TYPES: Final = {ImageUrl: "image", AudioUrl: "audio", VideoUrl: "video"}


def response_fields(response: ModelResponse, part_dumps: Sequence[Mapping[str, Any]]) -> Fields:
    """The fields of the item of a response; calls of hosted tools are opaque blocks."""
    blocks = [
        block
        for part, part_dump in zip(response.parts, part_dumps, strict=True)
        if not isinstance(part, ToolCallPart) and (block := _response_block(part, part_dump))
    ]
    tool_calls = [
        {"id": part.tool_call_id, "name": part.tool_name, "args": part.args or {}}
        for part in response.parts
        if isinstance(part, ToolCallPart)
    ]
    item_fields: Fields = {
        "role": "assistant",
        "content": text_or_blocks(blocks),
        "tool_calls": tool_calls,
        "model": response.model_name,
        "usage": _usage(response),
    }
    return item_fields if response.state == "complete" else {**item_fields, "status": "incomplete"}


def part_fields(part: Any, dump: Mapping[str, Any]) -> Fields:
    """The fields of the item of a request's part; bookkeeping of the framework is a notice."""
    match part:
        case SystemPromptPart():
            return {"role": "system", "content": part.content}
        case UserPromptPart():
            return {"role": "user", "content": user_content(part.content)}
        case SpeechPart():
            return {"role": part.speaker, "content": part.transcript or ""}
        case BaseToolReturnPart():
            status = "completed" if part.outcome == "success" else "error"
            content = _result_content(part.content, dump.get("content"))
            return _result_fields(part.tool_name, part.tool_call_id, content, status)
        case RetryPromptPart() if part.tool_name is not None:
            retry_text = part.model_response()
            return _result_fields(part.tool_name, part.tool_call_id, retry_text, "error")
        case RetryPromptPart() | RetryFeedbackPart():
            return {"role": "user", "content": part.model_response()}
        case _:
            return NOTICE


def user_content(content: Any) -> str | list[Block]:
    """The content of a prompt, as a text or as blocks."""
    if isinstance(content, str):
        return content
    return text_or_blocks([block for part in content if (block := _content_block(part))])


def _result_fields(name: str, call_id: str, content: str | list[Block], status: str) -> Fields:
    return {
        "role": "tool",
        "type": "tool_result",
        "name": name,
        "tool_call_id": call_id,
        "content": content,
        "status": status,
    }


def _result_content(content: Any, dump: Any) -> str | list[Block]:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and any(map(_is_media, content)):
        pairs = zip(content, dump, strict=True)
        return [_content_block(part) or {"type": "json", "value": value} for part, value in pairs]
    if _is_media(content) and (block := _content_block(content)):
        return [block]
    return [] if dump is None else [{"type": "json", "value": dump}]


def _is_media(part: Any) -> bool:
    return isinstance(part, FileUrl | BinaryContent | UploadedFile)


def _content_block(part: Any) -> Block | None:
    match part:
        case str():
            return {"type": "text", "text": part}
        case TextContent():
            return {"type": "text", "text": part.content}
        case FileUrl():
            return {"type": _URL_TYPES.get(type(part), "file"), "url": part.url}
        case BinaryContent():
            return _media_block(part)
        case UploadedFile():
            return {"type": "file", "file_id": part.file_id}
        case CachePoint():
            return None
    return None


def _media_block(media: BinaryContent) -> Block:
    return media_block(media.media_type, base64=base64.b64encode(media.data).decode())


def _response_block(part: Any, dump: Mapping[str, Any]) -> Block | None:
    match part:
        case TextPart():
            return {"type": "text", "text": part.content} if part.content else None
        case ThinkingPart():
            extras = {"extras": {"signature": part.signature}} if part.signature else {}
            return {"type": "reasoning", "reasoning": part.content, **extras}
        case FilePart():
            return _media_block(part.content)
        case SpeechPart():
            return {"type": "text", "text": part.transcript} if part.transcript else None
        case CompactionPart() if part.content:
            return {"type": "text", "text": part.content}
    return {"type": "opaque", "value": {"type": part.part_kind, **dump}}


def _usage(response: ModelResponse) -> dict[str, Any] | None:
    """The tokens of the response; `None` if the provider reported none."""
    usage = response.usage
    if not usage.has_values():
        return None
    count_by_name = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }
    return {**count_by_name, **({"details": dict(usage.details)} if usage.details else {})}
