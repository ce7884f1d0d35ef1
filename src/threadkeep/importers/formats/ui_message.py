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
    id = fields.name(payload.get("id")) or ""
    for number, content in enumerate(_steps(payload["parts"], role)):
        step_id = f"{id}#{number}" if id and number else id
        yield Message(content, location, step_id, created_at)


def _steps(parts: list[Any], role: str) -> Iterator[dict[str, Json]]:
    content: list[Json] = []
    calls: list[Call] = []
    results: list[dict[str, Json]] = []
    for part in parts:
        if not isinstance(part, Mapping):
            continue
        kind = str(part.get("type") or ("text" if "text" in part else ""))
        if calls and not _is_tool(kind):
            yield _step(role, content, calls)
            yield from results
            content, calls, results = [], [], []
        if _is_tool(kind):
            calls.append(_call(part, kind))
            results += _result(part)
        elif kind != "step-start":
            content += _block(part, kind)
    if content or calls:
        yield _step(role, content, calls)
    yield from results


def _step(role: str, content: list[Json], calls: list[Call]) -> dict[str, Json]:
    texts = [part["text"] for part in content if part["type"] == "text"]
    is_text = len(texts) == len(content)
    step: dict[str, Json] = {"role": role, "content": "\n".join(texts) if is_text else content}
    return {**step, "tool_calls": calls} if calls else step


def _is_tool(kind: str) -> bool:
    return kind.startswith("tool-") or kind == "dynamic-tool"


def _call(part: Mapping[str, Any], kind: str) -> Call:
    name = str(part.get("toolName") or kind.removeprefix("tool-"))
    args = part.get("input")
    return {
        "id": fields.name(part.get("toolCallId")) or fields.digest(dict(part)),
        "name": name,
        "args": args if isinstance(args, (dict, str)) else {},
    }


def _result(part: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
    if part.get("state") not in {"output-available", "output-error"}:
        return
    failed = part["state"] == "output-error"
    output = part.get("errorText") if failed else part.get("output")
    content = output if isinstance(output, (str, dict)) else [{"type": "json", "value": output}]
    id = fields.name(part.get("toolCallId")) or fields.digest(dict(part))
    answer: dict[str, Json] = {"role": "tool", "tool_call_id": id, "content": content}
    yield {**answer, "status": "error"} if failed else answer


def _block(part: Mapping[str, Any], kind: str) -> list[Json]:
    if kind == "text":
        return [{"type": "text", "text": fields.text(part)}]
    if kind == "reasoning":
        return [{"type": "reasoning", "reasoning": fields.text(part)}]
    if kind == "file" and isinstance(part.get("url"), str):
        media_type = str(part.get("mediaType") or "")
        block = "image" if media_type.startswith("image/") else "file"
        if part["url"].startswith("data:"):
            return (
                [{"type": "image_url", "image_url": part["url"]}]
                if block == "image"
                else [{"type": "opaque", "value": dict(part)}]
            )
        return [{"type": block, "url": part["url"], **fields.without_empty(mime_type=media_type)}]
    return [{"type": "opaque", "value": dict(part)}]
