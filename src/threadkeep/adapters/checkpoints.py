"""What a checkpointer keeps beside a session, for adapters: streams, items and limits."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Final

from threadkeep.api.memory import Memory
from threadkeep.api.session import Session
from threadkeep.core import item_codec, json_text, names
from threadkeep.core.body import UnreadableRecord
from threadkeep.sessions import checkpoints
from threadkeep.sessions.checkpoints import NAMESPACE, ROOT, namespace_of, namespace_record
from threadkeep.types import Item, Record
from threadkeep.types.batching import MAX_RECORDS, batches

__all__ = [
    "MAX_RECORDS",
    "NAMESPACE",
    "ROOT",
    "ThreadStreams",
    "batches",
    "checkpoint_prefix",
    "delete_checkpoints",
    "delete_session",
    "dumps",
    "fork_session",
    "has_redactor",
    "is_unchanged",
    "item_body",
    "item_of",
    "key",
    "namespace_of",
    "namespace_record",
    "observe",
    "read_item",
    "session_ttl",
]


_MESSAGE_FIELDS: Final = (
    "type", "role", "name", "content", "tool_calls", "tool_call_id", "status", "model", "usage",
    "raw",
)  # fmt: skip
"""What an item says; all else is the application's, and may change without changing the message."""


class ThreadStreams:
    """The names of a thread's streams: its checkpoints, by namespace, and its session."""

    def __init__(self, memory: Memory, thread: str) -> None:
        self._engine = memory._engine
        self.thread = thread
        self.session = self._engine.stream("session", thread)

    def stream(self, namespace: str) -> str:
        """The stream of the checkpoints of a namespace; `""` is the root."""
        return checkpoints.stream(self._engine, self.thread, namespace)

    def namespaces(self) -> Iterator[str]:
        """The namespaces written so far, the root first."""
        return checkpoints.namespaces(self._engine, self.thread)


def checkpoint_prefix(memory: Memory) -> str:
    """What the names of all streams of checkpoints begin with."""
    engine = memory._engine
    return names.noun_prefix(engine.settings.namespace, checkpoints.NOUN)


def delete_checkpoints(memory: Memory, thread: str) -> int:
    """Delete the checkpoints of a thread; its session stays. Returns the number of streams."""
    return checkpoints.delete(memory._engine, thread)


def session_ttl(memory: Memory) -> float | None:
    """Seconds that a session lives after its last write; `None` = for ever."""
    return memory._engine.settings.ttl


def has_redactor(memory: Memory) -> bool:
    """Whether items are stored otherwise than they were given."""
    return memory._engine.settings.redactor is not None


def observe(memory: Memory, stream: str, version: int, seq: int) -> None:
    """Begin to follow a stream that was read at a version, with records up to a seq."""
    memory._engine.append_log.observe(stream, version, seq)


def is_unchanged(memory: Memory, stream: str, since: int, version: int) -> bool:
    """Return True if nothing that was there at one version was changed up to another.

    Args:
        memory: the store.
        stream: its name.
        since: the version at which it was observed.
        version: its version now.
    """
    return memory._engine.append_log.is_unchanged(stream, since, version)


def key(text: str) -> str:
    """A record id for any text."""
    return names.key(text)


def dumps(value: Any, location: str) -> str:
    """Compact JSON for every store.

    Raises:
        InputError: something is not JSON, or too large for a record.
    """
    return json_text.dumps(value, location)


def item_body(item: Item) -> str:
    """The text of an item as its record holds it, without what is the application's own.

    Two items with the same text are the same message.

    Raises:
        InputError: it cannot be stored.
    """
    message_item = Item(**{field_name: getattr(item, field_name) for field_name in _MESSAGE_FIELDS})
    if message_item.raw is not None:
        message_item = dataclasses.replace(message_item, raw=_payload(message_item.raw))
    return item_codec.item_record(message_item, "x", 0.0).body


def _payload(raw_fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a framework wrote, without the marks that adapters put beside it."""
    return {key: raw_fields[key] for key in ("format", "data")} if raw_fields["data"] else None


def read_item(record: Record) -> Item | None:
    """The item of a record; `None` if it cannot be read."""
    try:
        return item_codec.decode_item(record)
    except UnreadableRecord:
        return None


def item_of(body: str) -> Item | None:
    """The item of a text that `item_body` returned; `None` if it cannot be read."""
    return read_item(Record("item", "x", body, 0.0))


def delete_session(memory: Memory, id: str, user: str | None) -> None:
    """Delete a session on behalf of its owner, whoever may open sessions otherwise."""
    Session(memory._engine, id, user=user).delete()


def fork_session(memory: Memory, id: str, copy: str, user: str | None) -> None:
    """Copy a session on behalf of its owner.

    Raises:
        NotFound: there is none.
        Conflict: the copy exists.
    """
    Session(memory._engine, id, user=user).fork(copy)
