"""Codex's transcripts, `~/.codex/sessions/**/rollout-*.jsonl`, newer and older ones.

A newer line is `{"timestamp", "type", "payload"}`; what was said stands in those of type
`response_item`, and comes a second time as `event_msg`. An older one is the bare item. The model
stands in `turn_context`, and what a call took in an event behind it: a hidden notice keeps that.
What the program itself writes in the user's name is hidden. A sub-agent's transcript becomes a
session of the agent's, below that of the thread that called it.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

from threadkeep.importers import fields
from threadkeep.importers.values import (
    Chat,
    Context,
    FormatReader,
    HeadKind,
    JsonEntry,
    Message,
    Part,
)
from threadkeep.printable import shown
from threadkeep.types import Json

_REPEATED: Final = frozenset({"event_msg", "turn_context", "session_meta", "compacted"})
_ITEMS: Final = frozenset({"message", "reasoning", "function_call", "function_call_output",
                           "custom_tool_call", "custom_tool_call_output", "local_shell_call",
                           "web_search_call"})  # fmt: skip
_PROGRAM_TEXT: Final = re.compile(
    r"\s*(?:<(?:environment_context|user_instructions|instructions|turn_aborted|skill"
    r"|user_shell_command|subagent_notification)>|# AGENTS\.md instructions)",
    re.IGNORECASE,
)


def _matches(value: Json) -> bool:
    if not isinstance(value, dict):
        return False
    if fields.is_one_of(value.get("type"), ("session_meta", "response_item")):
        return isinstance(value.get("payload"), dict)
    return _is_older_head(value)


def _is_older_head(value: dict[str, Json]) -> bool:
    return "instructions" in value and "timestamp" in value and "id" in value


def _head(value: Json) -> HeadKind | None:
    if _meta(value):
        return "first"
    return "latest" if isinstance(value, dict) and value.get("type") == "turn_context" else None


def _read(entries: Iterator[JsonEntry], context: Context) -> Iterator[Part]:
    first_line = next(entries, None)
    if first_line is None:
        return
    meta = {} if context.is_rest else _meta(first_line.value)
    git = meta.get("git") if isinstance(meta.get("git"), dict) else {}
    session_id, agent = _session(meta, context.stem)
    yield Chat(
        id=session_id,
        agent=agent,
        location=context.label,
        messages=_messages(chain([first_line], entries), context),
        created_at=meta.get("timestamp"),
        metadata=fields.without_empty(cwd=meta.get("cwd"), git_branch=(git or {}).get("branch")),
    )


READER: Final = FormatReader("codex", "Codex's transcripts", _matches, _read, _head, continues=True)


def _session(meta: Mapping[str, Any], stem: str) -> tuple[str, str | None]:
    """The session's id, and the name of the sub-agent whose it is.

    What stands there as the user's was written by the agent that called it.
    """
    thread_id = f"codex-{fields.name(meta.get('id')) or stem}"
    source = meta.get("source")
    sub_agent = source.get("subagent") if isinstance(source, dict) else None
    if sub_agent is None:
        return thread_id, None
    spawn = sub_agent.get("thread_spawn") if isinstance(sub_agent, dict) else None
    spawn = spawn if isinstance(spawn, dict) else {}
    agent = fields.agent_name(spawn.get("agent_role")) or "subagent"
    parent_id = fields.name(spawn.get("parent_thread_id"))
    return f"codex-{parent_id}/{agent}/{thread_id}" if parent_id else f"{thread_id}/{agent}", agent


def _meta(value: Json) -> dict[str, Any]:
    """What the head of a transcript says of it; nothing where it has no head."""
    if not isinstance(value, dict):
        return {}
    if value.get("type") == "session_meta" and isinstance(value.get("payload"), dict):
        return dict(value["payload"])
    return value if _is_older_head(value) else {}


def _messages(entries: Iterator[JsonEntry], context: Context) -> Iterator[Message]:
    model: str | None = None
    for entry in entries:
        line = entry.value
        if not isinstance(line, dict):
            context.skip(entry.location, "the line is not an object")
            continue
        if line.get("type") == "turn_context":
            model = fields.name(_payload(line).get("model")) or model
        if line.get("type") == "event_msg":
            yield from _usage(entry, _payload(line), model)
        if _is_repeated(line):
            continue
        raw_item = line.get("payload") if line.get("type") == "response_item" else line
        if not isinstance(raw_item, dict) or not fields.is_one_of(raw_item.get("type"), _ITEMS):
            item_type = raw_item.get("type") if isinstance(raw_item, dict) else None
            context.skip(entry.location, f"unknown item of type {shown(item_type)}")
            continue
        yield Message(
            _item(raw_item),
            entry.location,
            created_at=line.get("timestamp"),
            hidden=_is_of_program(raw_item),
        )


def _is_repeated(line: dict[str, Json]) -> bool:
    is_event = fields.is_one_of(line.get("type"), _REPEATED)
    return is_event or "record_type" in line or _is_older_head(line)


def _payload(line: dict[str, Json]) -> dict[str, Json]:
    raw_payload = line.get("payload")
    return raw_payload if isinstance(raw_payload, dict) else {}


def _usage(entry: JsonEntry, event: dict[str, Json], model: str | None) -> Iterator[Message]:
    """What a call took; an event that comes again has the same sum, and so the same id."""
    info = event.get("info")
    if event.get("type") != "token_count" or not isinstance(info, dict):
        return
    last_usage, session_usage = info.get("last_token_usage"), info.get("total_token_usage")
    if isinstance(last_usage, dict) and isinstance(session_usage, dict):
        notice = {"type": "notice", "role": "assistant", "content": "", "usage": last_usage}
        yield Message(
            notice | fields.without_empty(model=model),
            entry.location,
            f"usage-{fields.digest(session_usage)}",
            entry.value.get("timestamp"),
            hidden=True,
        )


def _item(raw_item: dict[str, Json]) -> dict[str, Json]:
    """The item without its id, which models repeat."""
    item_fields = {key: value for key, value in raw_item.items() if key not in {"id", "timestamp"}}
    if isinstance(item_fields.get("output"), dict):
        item_fields["output"] = fields.text(item_fields["output"])
    return item_fields


def _is_of_program(raw_item: dict[str, Json]) -> bool:
    """Return True for what the program wrote, though it stands there as the user's."""
    if raw_item.get("type") != "message" or raw_item.get("role") != "user":
        return False
    return bool(_PROGRAM_TEXT.match(fields.text(raw_item.get("content"))))
