"""OpenAI Responses: input and output items to neutral items and back."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.messages import schemas
from threadkeep.messages.content import (
    Block,
    content,
    data_url,
    describe,
    kinds,
    openai_file,
    plain,
)
from threadkeep.messages.openai_chat import args, arguments
from threadkeep.messages.tool_pairs import (
    OMITTED,
    Contribution,
    contributions,
    role_of,
    sendable,
    tool_name,
    verbatim,
)
from threadkeep.types import Item, Json

FORMAT: Final = "openai-responses/1"
Entry = dict[str, Any]

_FAKE_ID: Final = "__fake_id__"  # what OpenAI Agents gives to every item of a chat model
_CALL_ID: Final = re.compile(r"[^\ud800-\udfff]{1,64}", re.DOTALL)
_FUNCTIONS: Final = frozenset({"function_call", "custom_tool_call"})
_ASKED: Final = {"type": "message", "role": "user"}
_FUNCTION: Final = {"type": "function_call"}
_OUTPUT: Final = {"type": "function_call_output"}
_PARTS: Final = frozenset({"input_text", "input_image", "input_file", "output_text"})
_MESSAGE: Final = ("role", "content", "id", "status", "phase")


def to_responses(items: Sequence[Item]) -> list[Entry]:
    """The `input` of a Responses request; items that came from that API are given back verbatim.

    Reasoning of other providers is left out, and so is reasoning whose output is gone.
    """
    seen: set[str] = set()
    parts = contributions(items, ids=_CALL_ID)
    entries = [once for part in parts for entry in _entries(part) if (once := _once(entry, seen))]
    entries = _without_stray_thoughts(entries)
    if items and not entries:
        entries = [{"type": "message", "role": "user", "content": OMITTED}]
    return sendable(entries)


def is_message(data: Mapping[str, Any]) -> bool:
    """Whether it is a message in the shape of this API, and could not be one of another."""
    if data.get("type", "message") != "message" or "role" not in data:
        return False
    found = kinds(data.get("content"))
    if found & _PARTS:
        return True
    return "type" in data and ("refusal" in found or str(data.get("id")).startswith("msg_"))


def message(data: Mapping[str, Any]) -> Entry:
    """What to keep verbatim of such a message."""
    return {"type": "message", **{key: data[key] for key in _MESSAGE if key in data}}


def fields(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The neutral fields of an item of the Responses API that is no plain message."""
    kind = str(entry["type"])
    if kind.endswith("_call_output"):
        words = _output_content(entry.get("output"), where)
        return {"role": "tool", "tool_call_id": _answered(entry), "content": words}
    if kind in _FUNCTIONS or (kind.endswith("_call") and "call_id" in entry):
        given: Any = next(
            (entry[key] for key in ("arguments", "input", "action", "operation") if key in entry),
            {},
        )
        call = {
            "id": entry.get("call_id", ""),
            "name": entry.get("name") or kind.removesuffix("_call"),
            "args": args(given),
        }
        return {"role": "assistant", "content": "", "tool_calls": [call]}
    if kind == "reasoning":
        return {"role": "assistant", "content": _reasoning(entry, where)}
    return {"role": "assistant", "name": entry.get("name"), "content": _summary(entry)}


def wire(item: Item) -> list[Entry]:
    """One item as entries of an input."""
    if item.raw is not None and (kept := _verbatim(item)):
        return [kept]
    if item.role in {"tool", "function"}:
        return [_output(item)]
    if item.type == "reasoning" and not item.tool_calls:
        return []  # only its own API can read it
    entries: list[Entry] = []
    if item.content or not item.tool_calls:
        role = role_of(item)
        entries.append({"type": "message", "role": role, "content": _content(item.content, role)})
    return [*entries, *(_call(call) for call in item.tool_calls)]


def _verbatim(item: Item) -> Entry | None:
    kept = verbatim(item, FORMAT)
    if not isinstance(kept, Mapping):
        return None
    entry = {key: value for key, value in kept.items() if (key, value) != ("id", _FAKE_ID)}
    return entry if schemas.responses(entry) else None


def _answered(entry: Mapping[str, Any]) -> str:
    key = "id" if entry["type"] == "local_shell_call_output" else "call_id"
    return str(entry.get(key) or "")


def _entries(part: Contribution) -> list[Entry]:
    """Entries of a contribution; a call and its result go verbatim together, or not at all."""
    results = {result.tool_call_id: result for result in part.results}
    plain = {id_ for head in part.heads for id_ in _misfits(head, results)}
    heads = [_plain(head) if _asks(head) & plain else head for head in part.heads]
    answers = [_plain(r) if r.tool_call_id in plain else r for r in part.results]
    asked = [entry for head in heads for entry in wire(head)]
    return [*asked, *(e for a in answers for e in wire(a))] if answers else _calls_last(asked)


def _calls_last(entries: list[Entry]) -> list[Entry]:
    """What a model said before what it called for, which may stay open only at the very end."""
    said: list[Entry] = []
    calls: list[Entry] = []
    thoughts: list[Entry] = []
    for entry in entries:
        thoughts.append(entry)
        if entry["type"] != "reasoning":
            (calls if "call_id" in entry else said).extend(thoughts)
            thoughts = []
    return said + calls + thoughts


def _misfits(head: Item, results: Mapping[str | None, Item]) -> list[str]:
    """The calls whose results are of another kind than the call."""
    wanted = f"{(_verbatim(head) or _FUNCTION)['type']}_output"
    pairs = ((id_, results[id_]) for id_ in _asks(head) if id_ in results)
    return [id_ for id_, result in pairs if (_verbatim(result) or _OUTPUT)["type"] != wanted]


def _asks(head: Item) -> set[str]:
    return {str(call.get("id")) for call in head.tool_calls}


def _plain(item: Item) -> Item:
    return dataclasses.replace(item, raw=None)


def _once(entry: Entry, seen: set[str]) -> Entry | None:
    """The entry with an id that is not in the input yet; `None` if it only says again."""
    name = entry.get("id")
    if name is None or entry["type"] == "local_shell_call_output":
        return entry  # whose id is that of its call
    if name not in seen:
        seen.add(name)
        return entry
    rest = {key: value for key, value in entry.items() if key != "id"}
    if schemas.responses(rest):
        return rest
    if entry["type"] in {"reasoning", "item_reference"}:
        return None
    number = next(n for n in itertools.count(2) if f"{name}_{n}" not in seen)
    seen.add(f"{name}_{number}")
    return {**rest, "id": f"{name}_{number}"}


def _without_stray_thoughts(entries: list[Entry]) -> list[Entry]:
    """The entries without reasoning that is not followed by what it led to: the API refuses it."""
    kept: list[Entry] = []
    for entry in reversed(entries):
        if entry["type"] != "reasoning" or (kept and _is_output(kept[-1])):
            kept.append(entry)
    return kept[::-1]


def _is_output(entry: Entry) -> bool:
    """Whether a model wrote it."""
    if entry["type"] == "message":
        return bool(entry["role"] == "assistant")
    kind = str(entry["type"])
    return not kind.endswith("_call_output") and kind != "mcp_approval_response"


def _output(item: Item) -> Entry:
    words: Any = item.content
    if not isinstance(words, str):
        words = [part for block in words if (part := _part(block, "input_text"))] or ""
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
    if part := _media(block):
        return part
    said = describe(block)
    return {"type": text, "text": said} if said else None


def _media(block: Block) -> Entry | None:
    match block["type"]:
        case "image":
            detail = block.get("extras", {}).get("detail")
            part = {"type": "input_image", "detail": detail or "auto", **_image(block)}
        case "file":
            part = {"type": "input_file", **_file(block)}
        case _:
            return None
    return (
        part if schemas.responses({"type": "message", "role": "user", "content": [part]}) else None
    )


def _image(block: Block) -> Entry:
    if openai_file(block):
        return {"file_id": block["file_id"]}
    return {"image_url": data_url(block, "image/png")}


def _file(block: Block) -> Entry:
    if openai_file(block):
        return {"file_id": block["file_id"]}
    if block.get("url"):
        return {"file_url": block["url"]}
    name = block.get("extras", {}).get("filename") or "file"
    return {"filename": name, "file_data": data_url(block, "application/pdf")}


def _reasoning(entry: Mapping[str, Any], where: str) -> list[Block]:
    parts = [part for key in ("summary", "content") for part in _parts(entry, key, where)]
    found: list[Block] = [
        {"type": "reasoning", "reasoning": plain([block])}
        for block in content(parts, where)
        if not isinstance(block, str)
    ]
    if entry.get("encrypted_content"):
        extras = {"encrypted_content": entry["encrypted_content"]}
        found.append({"type": "reasoning", "reasoning": "", "extras": extras})
    return found


def _parts(entry: Mapping[str, Any], key: str, where: str) -> Sequence[Any]:
    parts = entry.get(key) or ()
    if isinstance(parts, str):
        return [parts]
    if isinstance(parts, (list, tuple)):
        return parts
    raise InputError(f"{where}.{key} must be a list of parts, got {type(parts).__name__}")


def _summary(entry: Mapping[str, Any]) -> str:
    """A provider's own item in words, for search and for other providers."""
    said = [f"[{entry['type']}", *(str(entry[key]) for key in ("name", "status") if entry.get(key))]
    output = entry.get("output") or entry.get("error")
    return " ".join(said) + (f"] {output}" if isinstance(output, str) else "]")


def _output_content(output: Any, where: str) -> str | list[Block]:
    """A text, parts of content, or what a machine of its own kind answers, as JSON."""
    of_parts = isinstance(output, list) and all(
        isinstance(part, str) or (isinstance(part, Mapping) and "type" in part) for part in output
    )
    return content(output, where) if isinstance(output, str) or of_parts else _as_json(output)


def _as_json(output: Any) -> list[Block]:
    return [{"type": "json", "value": output}]
