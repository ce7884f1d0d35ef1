"""One `UIMessage` of Vercel's AI SDK 5 and later, or of Gemini's contents: a role and parts."""

from collections.abc import Iterator, Mapping
from typing import Any

from threadkeep.importers import fields
from threadkeep.importers.values import Message
from threadkeep.types import Json

Call = dict[str, Json]


def messages(payload: Mapping[str, Any], role: str, location: str) -> Iterator[Message]:
    """The steps of a message: words and calls, then the results of the calls, then more words."""
    metadata = payload.get("metadata")
    created_at = fields.date_of(payload)
    if created_at is None and isinstance(metadata, Mapping):
        created_at = fields.date_of(metadata)
    message_id = fields.name(payload.get("id")) or ""
    for step_number, step in enumerate(_steps(payload["parts"], role)):
        step_id = f"{message_id}#{step_number}" if message_id and step_number else message_id
        yield Message(step, location, step_id, created_at)


def _steps(parts: list[Any], role: str) -> Iterator[dict[str, Json]]:
    step_parts: list[Json] = []
    calls: list[Call] = []
    tool_messages: list[dict[str, Json]] = []
    for part in parts:
        if not isinstance(part, Mapping):
            continue
        part_type = str(part.get("type") or ("text" if "text" in part else ""))
        if calls and not _is_tool(part_type):
            yield _step(role, step_parts, calls)
            yield from tool_messages
            step_parts, calls, tool_messages = [], [], []
        if _is_tool(part_type):
            calls.append(_call(part, part_type))
            tool_messages += _result(part)
        elif part_type != "step-start":
            step_parts += _block(part, part_type)
    if step_parts or calls:
        yield _step(role, step_parts, calls)
    yield from tool_messages


def _step(role: str, content: list[Json], calls: list[Call]) -> dict[str, Json]:
    part_texts = [part["text"] for part in content if part["type"] == "text"]
    is_text = len(part_texts) == len(content)
    step: dict[str, Json] = {"role": role, "content": "\n".join(part_texts) if is_text else content}
    return {**step, "tool_calls": calls} if calls else step


def _is_tool(kind: str) -> bool:
    return kind.startswith("tool-") or kind == "dynamic-tool"


def _call(part: Mapping[str, Any], kind: str) -> Call:
    tool_name = str(part.get("toolName") or kind.removeprefix("tool-"))
    call_args = part.get("input")
    return {
        "id": fields.name(part.get("toolCallId")) or fields.digest(dict(part)),
        "name": tool_name,
        "args": call_args if isinstance(call_args, (dict, str)) else {},
    }


def _result(part: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
    if not fields.is_one_of(part.get("state"), ("output-available", "output-error")):
        return
    is_error = part["state"] == "output-error"
    output = part.get("errorText") if is_error else part.get("output")
    content = output if isinstance(output, (str, dict)) else [{"type": "json", "value": output}]
    call_id = fields.name(part.get("toolCallId")) or fields.digest(dict(part))
    tool_message: dict[str, Json] = {"role": "tool", "tool_call_id": call_id, "content": content}
    yield {**tool_message, "status": "error"} if is_error else tool_message


def _block(part: Mapping[str, Any], kind: str) -> list[Json]:
    if kind == "text":
        return [{"type": "text", "text": fields.text(part)}]
    if kind == "reasoning":
        return [{"type": "reasoning", "reasoning": fields.text(part)}]
    if kind == "file" and isinstance(part.get("url"), str):
        media_type = str(part.get("mediaType") or "")
        block_type = "image" if media_type.startswith("image/") else "file"
        if part["url"].startswith("data:"):
            return (
                [{"type": "image_url", "image_url": part["url"]}]
                if block_type == "image"
                else [{"type": "opaque", "value": dict(part)}]
            )
        return [
            {"type": block_type, "url": part["url"], **fields.without_empty(mime_type=media_type)}
        ]
    return [{"type": "opaque", "value": dict(part)}]
