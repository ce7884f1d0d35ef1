"""Claude Code's transcripts, `~/.claude/projects/*/*.jsonl`: a line per message or event.

The turns of a sub-agent become a session of their own, `<session>/<agent>`, which is the agent's:
what stands there as the user's was written by the agent that called it. An answer is a line per
block, each with the id and the usage of the whole answer. What the program or another agent writes
in the user's name, such as summaries, the output of commands and notes of teammates, is hidden.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, groupby
from typing import Any, Final

from threadkeep.importers import fields
from threadkeep.importers.values import Chat, Context, FormatReader, JsonEntry, Message, Part
from threadkeep.printable import shown
from threadkeep.responses.runs import RESPONSE_ID
from threadkeep.types import Json

_SPOKEN: Final = frozenset({"user", "assistant"})
_EVENTS: Final = frozenset(
    {"summary", "system", "file-history-snapshot", "progress", "queue-operation", "attachment",
     "custom-title", "ai-title", "last-prompt", "agent-name", "pr-link", "mode", "permission-mode"}
)  # fmt: skip
_FOREIGN_ORIGINS: Final = frozenset(
    {"auto-continuation", "coordinator", "observer", "observer-activity", "peer",
     "task-notification"}
)  # fmt: skip
"""Who wrote a line, where it was neither the user nor a person in a channel."""
_PROGRAM_FLAGS: Final = ("isMeta", "isCompactSummary", "isVisibleInTranscriptOnly")
_PROGRAM_TEXT: Final = re.compile(
    r"\s*<(?:local-)?(?:command|bash|task|system|user-prompt-submit)-[a-z-]+>"
    r"|\s*<(?:teammate|agent|cross-session)-message[\s>]"
    r"|\s*\[Request interrupted by user"
)


def _matches(value: Json) -> bool:
    if not isinstance(value, dict):
        return False
    is_message = fields.is_one_of(value.get("type"), _SPOKEN) and isinstance(
        value.get("message"), dict
    )
    return is_message and "sessionId" in value


def _read(entries: Iterator[JsonEntry], context: Context) -> Iterator[Part]:
    message_lines = (entry for entry in entries if _is_spoken(entry, context))
    for session_id, session_lines in groupby(message_lines, key=_session):
        first_line = next(session_lines)
        yield Chat(
            id=session_id,
            agent=_agent(first_line),
            location=first_line.location,
            messages=_messages(chain([first_line], session_lines), context),  # noqa: B031 - read once
            created_at=first_line.value.get("timestamp"),
            metadata=fields.without_empty(
                cwd=first_line.value.get("cwd"), git_branch=first_line.value.get("gitBranch")
            ),
        )


READER: Final = FormatReader(
    "claude-code", "Claude Code's transcripts", _matches, _read, continues=True
)


def _is_spoken(entry: JsonEntry, context: Context) -> bool:
    line = entry.value if isinstance(entry.value, dict) else {}
    line_type = line.get("type")
    if fields.is_one_of(line_type, _SPOKEN) and isinstance(line.get("message"), dict):
        return True
    if not fields.is_one_of(line_type, _EVENTS):
        context.skip(entry.location, f"unknown line of type {shown(line_type)}")
    return False


def _session(entry: JsonEntry) -> str:
    session_id = fields.name(entry.value.get("sessionId")) or "claude-code"
    agent = _agent(entry)
    return session_id if agent is None else f"{session_id}/{agent}"


def _agent(entry: JsonEntry) -> str | None:
    """The sub-agent that a line is of, if any."""
    if not entry.value.get("isSidechain"):
        return None
    return fields.agent_name(entry.value.get("agentId")) or "sidechain"


def _messages(entries: Iterable[JsonEntry], context: Context) -> Iterator[Message]:
    for entry in entries:
        yield from _read_line(entry, context)


def _read_line(entry: JsonEntry, context: Context) -> Iterator[Message]:
    line, payload = entry.value, entry.value["message"]
    try:
        role = fields.role(payload.get("role") or line["type"])
    except fields.Malformed as error:
        context.skip(entry.location, str(error))
        return
    message: dict[str, Json] = {"role": role, "content": payload.get("content")}
    response_id = None
    if role == "assistant":
        message |= fields.without_empty(model=payload.get("model"), usage=payload.get("usage"))
        response_id = fields.name(payload.get("id"))
    yield Message(
        message,
        entry.location,
        fields.name(line.get("uuid")) or "",
        line.get("timestamp"),
        fields.without_empty(**{RESPONSE_ID: response_id}),
        hidden=_is_of_program(line, message["content"]),
    )


def _is_of_program(line: Mapping[str, Any], content: Json) -> bool:
    """Return True for what the program or an agent wrote, though it stands there as the user's."""
    if any(line.get(flag) for flag in _PROGRAM_FLAGS):
        return True
    blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
    block_texts = [block.get("text") for block in blocks if isinstance(block, Mapping)]
    is_text = bool(block_texts) and all(isinstance(text, str) for text in block_texts)
    if line["type"] != "user" or not is_text:
        return False
    origin = line.get("origin")
    kind = origin.get("kind") if isinstance(origin, Mapping) else None
    is_of_other = fields.is_one_of(kind, _FOREIGN_ORIGINS)
    return is_of_other or all(map(_PROGRAM_TEXT.match, map(str, block_texts)))
