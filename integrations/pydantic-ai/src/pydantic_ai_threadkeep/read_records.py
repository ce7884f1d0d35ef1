"""The framework's primitives that read: records, histories and entries; all of them block."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic_ai.conversation_store import ConversationEntry, ConversationRecord

from pydantic_ai_threadkeep import load_limit
from pydantic_ai_threadkeep.current_record import record_of
from pydantic_ai_threadkeep.entries import chain
from pydantic_ai_threadkeep.entry_history import history
from pydantic_ai_threadkeep.entry_index import Location
from pydantic_ai_threadkeep.finder import Finder
from threadkeep.adapters import windows
from threadkeep.errors import NotOwner


def read_record(finder: Finder, conversation: str) -> ConversationRecord | None:
    """As the framework's `read_record`."""
    log = finder.open(conversation)
    record = record_of(log, log.state())
    if record is not None and record.head_id is not None:
        finder.index.remember(record.head_id, Location(conversation))
    return record


def read_records(finder: Finder, scope: str | None, limit: int | None) -> list[ConversationRecord]:
    """As the framework's `read_records`."""
    records: list[ConversationRecord] = []
    for record in _accessible_records(finder, scope):
        records.append(record)
        if scope is not None and limit is not None and len(records) >= limit:
            break
    records.sort(key=lambda record: record.updated_at, reverse=True)
    return records[:limit]


def limit_of(
    finder: Finder, conversation: str, policies: windows.Policies, over: windows.OverWarning
) -> int:
    """How many of the last messages a window holds."""
    log = finder.open(conversation)
    limit, window = load_limit.limit_of(log, log.state(), policies)
    over.check(window, conversation)
    return limit


def read_history(finder: Finder, head: str | None, limit: int | None) -> list[ConversationEntry]:
    """As the framework's `read_history`.

    Raises:
        LookupError: no conversation has the entry.
    """
    if head is None or limit == 0:
        return []
    position = finder.locate(head)
    entries = history(position.log, position.state, position.seq, limit=limit)
    for entry in entries:
        finder.index.remember(entry.id, Location(entry.conversation, entry.seq))
    return chain(entries, limit)


def read_entry(finder: Finder, id: str) -> ConversationEntry:
    """As the framework's `read_entry`.

    Raises:
        LookupError: no conversation has the entry.
    """
    entries = read_history(finder, id, 1)
    if not entries or entries[-1].id != id:
        raise LookupError(id)
    return entries[-1]


def _accessible_records(finder: Finder, scope: str | None) -> Iterator[ConversationRecord]:
    """The records of a scope that the user may see, each once, the latest written first."""
    visited_ids: set[str] = set()
    for conversation in finder.index.conversations(scope):
        if conversation in visited_ids:
            continue
        visited_ids.add(conversation)
        try:
            record = read_record(finder, conversation)
        except NotOwner:
            continue
        if record is not None and scope in (None, record.scope):
            yield record
