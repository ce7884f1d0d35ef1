"""Zep's answers: the messages of a thread, whose `role` is a name, and edges as facts."""

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
from threadkeep.types import Json


def _matches(value: Json) -> bool:
    if not isinstance(value, dict):
        return False
    raw_messages = value.get("messages")
    is_thread = isinstance(raw_messages, list) and any(
        isinstance(message, Mapping) and "role_type" in message for message in raw_messages
    )
    edges = value.get("edges")
    return is_thread or _is_edge(value) or (isinstance(edges, list) and any(map(_is_edge, edges)))


def _is_edge(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("fact"), str) and "uuid" in value


def _read(entry: JsonEntry, context: Context) -> Iterator[Part]:
    export = fields.mapping(entry.value, "an answer of Zep")
    user_id = fields.name(export.get("user_id"))
    raw_edges = export.get("edges") or export.get("relevant_facts")
    for edge_index, edge in enumerate([export] if _is_edge(export) else raw_edges or ()):
        if _is_edge(edge):
            yield _fact(edge, f"{entry.location}.edges[{edge_index}]", user_id)
        else:
            context.skip(f"{entry.location}.edges[{edge_index}]", "this is not an edge with a fact")
    if isinstance(values := export.get("messages"), list):
        own_id = fields.name(export.get("thread_id")) or fields.name(export.get("session_id"))
        messages = list(each.elements(values, f"{entry.location}.messages", _message, context))
        yield Chat(own_id or context.stem, entry.location, messages, user=user_id)


READER: Final = FormatReader("zep", "Zep's threads and edges", _matches, each.reader(_read))


def _fact(edge: Mapping[str, Any], place: str, user: str | None) -> Knowledge:
    return Knowledge(
        "fact",
        edge["fact"],
        place,
        user,
        observed_at=edge.get("created_at"),
        valid_from=edge.get("valid_at"),
        valid_to=edge.get("invalid_at"),
    )


def _message(value: Any, place: str) -> Message:
    raw_message = fields.mapping(value, "a message")
    role = fields.role(raw_message.get("role_type") or raw_message.get("role"))
    speaker = fields.name(raw_message.get("name"))
    if speaker is None and "role_type" in raw_message:
        speaker = fields.name(raw_message.get("role"))
    message = {"role": role, "content": fields.text(raw_message.get("content")), "name": speaker}
    message_id = fields.name(raw_message.get("uuid")) or ""
    return Message(message, place, message_id, fields.date_of(raw_message))
