"""OpenAI Responses: input and output items to neutral items and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from threadkeep.providers.blocks import Block, content, data_url, describe, plain
from threadkeep.providers.chat import args, arguments
from threadkeep.providers.pairing import Contribution, contributions, tool_name
from threadkeep.types import Item, Json

FORMAT: Final = "openai-responses/1"
Entry = dict[str, Any]

_FAKE_ID: Final = "__fake_id__"  # what OpenAI Agents gives to every item of a chat model


def to_responses(items: Sequence[Item]) -> list[Entry]:
    """The `input` of a Responses request; items that came from that API are given back verbatim.

    Reasoning of other providers is left out, and so is reasoning whose output is gone.
    """
    seen = {_FAKE_ID}
    entries = (entry for part in contributions(items) for entry in _entries(part))
    return [_once(entry, seen) for entry in entries]


def fields(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The neutral fields of an item of the Responses API that is no plain message."""
    kind = str(entry["type"])
    if kind.endswith("_call_output") and "call_id" in entry:
        output = entry.get("output")
        words = content(output, where) if isinstance(output, (str, list)) else _as_json(output)
        return {"role": "tool", "tool_call_id": entry["call_id"], "content": words}
    if kind.endswith("_call") and "call_id" in entry:
        given: Any = next(
            (entry[key] for key in ("arguments", "input", "action") if key in entry), {}
        )
        call = {
            "id": entry["call_id"],
            "name": entry.get("name") or kind.removesuffix("_call"),
            "args": args(given),
        }
        return {"role": "assistant", "content": "", "tool_calls": [call]}
    if kind == "reasoning":
        return {"role": "assistant", "content": _reasoning(entry, where)}
    return {"role": "assistant", "name": entry.get("name"), "content": _summary(entry)}


def wire(item: Item) -> list[Entry]:
    """One item as entries of an input."""
    if item.raw is not None and _verbatim(item):
        return [dict(item.raw["data"])]
    if item.role in {"tool", "function"}:
        return [_output(item)]
    if item.type == "reasoning":
        return []  # only its own API can read it
    entries: list[Entry] = []
    if item.content or not item.tool_calls:
        role = item.role if item.role in {"assistant", "system", "developer"} else "user"
        entries.append({"type": "message", "role": role, "content": _content(item.content, role)})
    return [*entries, *(_call(call) for call in item.tool_calls)]


def _entries(part: Contribution) -> list[Entry]:
    ours = {result.tool_call_id for result in part.results if not _verbatim(result)}
    entries = [entry for head in part.heads for entry in wire(_answerable(head, ours))]
    while entries and entries[-1]["type"] == "reasoning":
        entries.pop()  # the API refuses reasoning without what it led to
    return [*entries, *(entry for result in part.results for entry in wire(result))]


def _verbatim(item: Item) -> bool:
    return item.raw is not None and item.raw.get("format") == FORMAT


def _answerable(head: Item, ours: set[str | None]) -> Item:
    """The head, as a plain function call if a result that only fits those answers it."""
    if head.type == "function_call" or not any(call["id"] in ours for call in head.tool_calls):
        return head
    return dataclasses.replace(head, raw=None)


def _once(entry: Entry, seen: set[str]) -> Entry:
    """The entry, without an id that stands in the input already."""
    if (name := entry.get("id")) in seen:
        del entry["id"]
    elif name is not None:
        seen.add(name)
    return entry


def _output(item: Item) -> Entry:
    words: Any = item.content
    if not isinstance(words, str):
        words = [part for block in words if (part := _part(block, "input_text"))]
    return {"type": "function_call_output", "call_id": item.tool_call_id or "", "output": words}


def _call(call: dict[str, Json]) -> Entry:
    return {
        "type": "function_call",
        "call_id": call.get("id"),
        "name": tool_name(call.get("name")),
        "arguments": arguments(call.get("args")),
    }


def _content(words: str | list[Block], role: str) -> str | list[Entry]:
    if isinstance(words, str):
        return words
    if role == "assistant":
        return [{"type": "output_text", "text": said} for b in words if (said := describe(b))] or ""
    return [part for block in words if (part := _part(block, "input_text"))] or ""


def _part(block: Block, text: str) -> Entry | None:
    extras = block.get("extras", {})
    match block["type"]:
        case "image" if block.get("file_id"):
            source = {"file_id": block["file_id"]}
            return {"type": "input_image", "detail": extras.get("detail") or "auto", **source}
        case "image" if block.get("url") or block.get("base64"):
            source = {"image_url": data_url(block, "image/png")}
            return {"type": "input_image", "detail": extras.get("detail") or "auto", **source}
        case "file" if any(block.get(key) for key in ("file_id", "url", "base64")):
            return {"type": "input_file", **_file(block)}
    said = describe(block)
    return {"type": text, "text": said} if said else None


def _file(block: Block) -> Entry:
    if block.get("file_id"):
        return {"file_id": block["file_id"]}
    if block.get("url"):
        return {"file_url": block["url"]}
    name = block.get("extras", {}).get("filename") or "file"
    return {"filename": name, "file_data": data_url(block, "application/pdf")}


def _reasoning(entry: Mapping[str, Any], where: str) -> list[Block]:
    parts = [*(entry.get("summary") or []), *(entry.get("content") or [])]
    found: list[Block] = [
        {"type": "reasoning", "reasoning": plain([block])}
        for block in content(parts, where)
        if not isinstance(block, str)
    ]
    if entry.get("encrypted_content"):
        extras = {"encrypted_content": entry["encrypted_content"]}
        found.append({"type": "reasoning", "reasoning": "", "extras": extras})
    return found


def _summary(entry: Mapping[str, Any]) -> str:
    """A provider's own item in words, for search and for other providers."""
    said = [f"[{entry['type']}", *(str(entry[key]) for key in ("name", "status") if entry.get(key))]
    output = entry.get("output") or entry.get("error")
    return " ".join(said) + (f"] {output}" if isinstance(output, str) else "]")


def _as_json(output: Any) -> list[Block]:
    return [{"type": "json", "value": output}]
