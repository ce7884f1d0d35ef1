"""Codex's transcripts, `~/.codex/sessions/**/rollout-*.jsonl`, newer and older ones.

A newer line is `{"timestamp", "type", "payload"}`; what was said stands in those of type
`response_item`, and comes a second time as `event_msg`. An older one is the bare item.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from threadkeep.importers import fields
from threadkeep.importers.values import Chat, Context, Entry, Message, Part, Reader
from threadkeep.printable import shown
from threadkeep.types import Json

_REPEATED: Final = frozenset({"event_msg", "turn_context", "session_meta", "compacted"})
_ITEMS: Final = frozenset({"message", "reasoning", "function_call", "function_call_output",
                           "custom_tool_call", "custom_tool_call_output", "local_shell_call",
                           "web_search_call"})  # fmt: skip


def _matches(value: Json) -> bool:
    if not isinstance(value, dict):
        return False
    if value.get("type") in {"session_meta", "response_item"}:
        return isinstance(value.get("payload"), dict)
    return "instructions" in value and "timestamp" in value and "id" in value


def _read(entries: Iterator[Entry], context: Context) -> Iterator[Part]:
    first = next(entries, None)
    if first is None:
        return
    meta: dict[str, Any] = first.value if isinstance(first.value, dict) else {}
    meta = meta["payload"] if isinstance(meta.get("payload"), dict) else meta
    git = meta.get("git") if isinstance(meta.get("git"), dict) else {}
    yield Chat(
        id=f"codex-{fields.name(meta.get('id')) or context.stem}",
        location=context.label,
        messages=_messages(chain([first], entries), context),
        created_at=meta.get("timestamp"),
        metadata=fields.known(cwd=meta.get("cwd"), git_branch=(git or {}).get("branch")),
    )


READER: Final = Reader("codex", "Codex's transcripts", _matches, _read)


def _messages(entries: Iterator[Entry], context: Context) -> Iterator[Message]:
    for entry in entries:
        line = entry.value
        if not isinstance(line, dict):
            context.skip(entry.location, "the line is no object")
            continue
        if line.get("type") in _REPEATED or "record_type" in line or "instructions" in line:
            continue
        payload = line.get("payload") if line.get("type") == "response_item" else line
        if not isinstance(payload, dict) or payload.get("type") not in _ITEMS:
            kind = payload.get("type") if isinstance(payload, dict) else None
            context.skip(entry.location, f"unknown item of type {shown(kind)}")
            continue
        yield Message(_item(payload), entry.location, created_at=line.get("timestamp"))


def _item(payload: dict[str, Json]) -> dict[str, Json]:
    """The item without its id, which models repeat."""
    item = {key: value for key, value in payload.items() if key not in {"id", "timestamp"}}
    if isinstance(item.get("output"), dict):
        item["output"] = fields.text(item["output"])
    return item
