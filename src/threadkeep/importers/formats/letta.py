"""Letta's agent files (`.af`): the messages of an agent, and its blocks as facts and wishes."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from threadkeep.importers import fields
from threadkeep.importers.formats import each
from threadkeep.importers.values import (
    Chat,
    Context,
    FormatReader,
    JsonEntry,
    Knowledge,
    Message,
    Part,
)
from threadkeep.messages import parse_arguments
from threadkeep.types import Json


def _matches(value: Json) -> bool:
    if not isinstance(value, dict):
        return False
    agents = value.get("agents")
    is_newer_format = isinstance(agents, list) and ("blocks" in value or "tools" in value)
    return is_newer_format or ("core_memory" in value and isinstance(value.get("messages"), list))


def _read(entry: JsonEntry, context: Context) -> Iterator[Part]:
    agent_file = fields.mapping(entry.value, "an agent file")
    yield from _facts(agent_file.get("blocks") or agent_file.get("core_memory"), entry.location)
    for agent_index, agent in enumerate(agent_file.get("agents") or [agent_file]):
        agent_location = f"{entry.location}.agents[{agent_index}]"
        if not isinstance(agent, Mapping):
            context.skip(agent_location, "the agent is not an object")
            continue
        own_id = fields.name(agent.get("id")) or fields.name(agent.get("name"))
        messages = agent.get("messages")
        raw_messages = messages if isinstance(messages, list) else []
        yield Chat(
            f"letta-{own_id or fields.digest(agent)}",
            agent_location,
            list(each.elements(raw_messages, f"{agent_location}.messages", _message, context)),
            title=fields.name(agent.get("name")),
            created_at=agent.get("created_at"),
        )


READER: Final = FormatReader("letta", "Letta's agent files", _matches, each.reader(_read))


def _facts(blocks: Any, place: str) -> Iterator[Knowledge]:
    """Each line of the human block; the persona is the agent's own, and not known of the user."""
    for block in blocks if isinstance(blocks, list) else ():
        if isinstance(block, Mapping) and block.get("label") == "human":
            for line_text in fields.text(block.get("value")).splitlines():
                if fact_text := line_text.strip(" -*\t"):
                    yield Knowledge("fact", fact_text, place, observed_at=block.get("updated_at"))


def _message(raw_value: Any, place: str) -> Message:
    raw_message = fields.mapping(raw_value, "a message")
    neutral_message = _content(raw_message, fields.role(raw_message.get("role")))
    message_id = fields.name(raw_message.get("id")) or ""
    return Message(neutral_message, place, message_id, fields.date_of(raw_message))


def _content(raw_message: Mapping[str, Any], role: str) -> dict[str, Json]:
    message_text = fields.text(raw_message.get("content") or raw_message.get("text"))
    if role == "user":
        return {"role": role, "content": _unpacked(message_text)}
    message: dict[str, Json] = {"role": role, "content": message_text}
    if role == "tool":
        return {**message, "tool_call_id": fields.name(raw_message.get("tool_call_id"))}
    raw_calls = raw_message.get("tool_calls")
    return {**message, "tool_calls": [_call(call) for call in raw_calls]} if raw_calls else message


def _call(call: Any) -> dict[str, Json]:
    function = call.get("function") or {}
    args = parse_arguments(str(function.get("arguments") or ""))
    return {"id": str(call.get("id") or ""), "name": str(function.get("name") or ""), "args": args}


def _unpacked(text: str) -> str:
    """The user's words, which older agents pack as JSON with a type and a time."""
    try:
        packed_message = json.loads(text)
    except ValueError:
        return text
    if isinstance(packed_message, dict) and isinstance(packed_message.get("message"), str):
        return str(packed_message["message"])
    return text
