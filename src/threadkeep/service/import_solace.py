"""Imports from Solace Agent Mesh's own History Service; the source is only read."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from threadkeep.adapters.shared import shared_memory
from threadkeep.api.memory import Memory
from threadkeep.api.session import Session
from threadkeep.errors import InputError
from threadkeep.service import solace_knowledge
from threadkeep.service.codec import ACTION_ROLE, as_item, is_empty, turns
from threadkeep.service.files import as_file
from threadkeep.service.history import HistoryService
from threadkeep.service.solace_source import SolaceProvider, open_source
from threadkeep.types import Item, Json
from threadkeep.types.timestamps import parse_time

_ID_PREFIX: Final = "solace:"

_log = logging.getLogger("threadkeep.service")

Entry = tuple[str, Json]


class SolaceImport(dict[str, int]):
    """The number of entries of each session that was imported, and what else came over.

    Attributes:
        facts: how many are new here.
        instructions: how many are new here.
        summaries: how many are new here.
    """

    facts: int = 0
    instructions: int = 0
    summaries: int = 0


def import_solace(
    source: str | Path | SolaceProvider,
    target: HistoryService | Memory | str,
    *,
    longterm: str | Path | SolaceProvider | None = None,
    user_id: str | None = None,
) -> SolaceImport:
    """Copy what Solace Agent Mesh's History Service holds; returns entry counts by session.

    Nothing is written to the source. A repeated import adds only what is new, also if the old
    service has deleted its oldest entries meanwhile; what was forgotten here stays forgotten. What
    cannot be read is skipped and logged. Actions that no answer has followed yet are left behind,
    as the old service forgets them with the next message; so is what it has learned from all users
    without an identity together.

    Args:
        source: the folder of its `file` provider, or any history provider of it (`redis`,
            `mongodb`, `sql`, or one of your own), as the application made it.
        target: the target store; the policy of a `HistoryService` applies there.
        longterm: likewise the store of its long-term memory (`store_config`), with the facts and
            instructions; `None` = it is the `source`, if it has any.
        user_id: the owner of the imported sessions; `None` = no owner yet.

    Raises:
        ConfigError: there is no such folder.
        NotOwner: a session of that id belongs to another user here; earlier ones are imported.
    """
    provider = open_source(source)
    knowledge = provider if longterm is None else open_source(longterm)
    memory = target.memory if isinstance(target, HistoryService) else shared_memory(target)
    report = SolaceImport()
    for session_id in provider.get_all_sessions():
        _import_session(memory.session(session_id, user=user_id), provider, report)
    for identity in knowledge.get_all_sessions():
        memory_data = _part(knowledge.get_session(identity), "memory")
        if memory_data and not solace_knowledge.is_shared_by_strangers(identity):
            is_anonymous = identity in report  # it has no user: the session's id stands for one
            owner = (
                memory.session(identity, user=user_id) if is_anonymous else memory.user(identity)
            )
            facts, instructions = solace_knowledge.import_memory(memory, owner, memory_data)
            report.facts += facts
            report.instructions += instructions
    return report


def _import_session(chat: Session, provider: SolaceProvider, report: SolaceImport) -> None:
    """Import the entries, files and summary of a session."""
    session_data = provider.get_session(chat.id)
    entries = _entries(session_data)
    if entries is None:
        if not _part(session_data, "memory"):  # else it is a user's
            _log.warning("the history of session %r cannot be read, passed over", chat.id)
        return
    chat.add(*_new_items(chat, entries, session_data.get("last_active_time")))
    _add_files(chat, session_data)
    report.summaries += solace_knowledge.import_summary(chat, session_data.get("summary"))
    report[chat.id] = len(entries)


def _part(session_data: Any, key: str) -> Any:
    return session_data.get(key) if isinstance(session_data, Mapping) else None


def _entries(session_data: Any) -> list[Entry] | None:
    try:
        raw_pairs = [(entry["role"], entry["content"]) for entry in session_data["history"]]
    except (LookupError, TypeError):
        return None
    return [
        (str(role), content)
        for role, content in raw_pairs
        if role != ACTION_ROLE and not is_empty(content)
    ]


def _new_items(chat: Session, entries: Sequence[Entry], raw_time: Any) -> Iterator[Item]:
    """The items of entries that were not imported yet, numbered after the imported ones.

    The last imported entry is among them: merging may have extended it.
    """
    imported_items = [item for item in chat.items() if item.id.startswith(_ID_PREFIX)]
    next_number = int(imported_items[-1].id.removeprefix(_ID_PREFIX)) if imported_items else 0
    first_index = _last_imported(entries, [_entry_of(item) for item in imported_items])
    if first_index is None:
        first_index, next_number = 0, next_number + bool(imported_items)
    created_at = None if raw_time is None else parse_time(raw_time, "last_active_time")
    for entry_number, (role, content) in enumerate(entries[first_index:], start=next_number):
        yield dataclasses.replace(
            as_item(role, content), id=f"{_ID_PREFIX}{entry_number}", created_at=created_at
        )


def _last_imported(entries: Sequence[Entry], imported_entries: Sequence[Entry]) -> int | None:
    """The index of the newest entry that is imported already; either side may lack old entries.

    The first of several candidates: a repeated text is imported twice rather than lost.
    """
    best_index, longest_overlap = None, 0
    for entry_index in range(len(entries)):
        newest_first_pairs = zip(
            reversed(entries[: entry_index + 1]), reversed(imported_entries), strict=False
        )
        mismatch_index = next(
            (
                n
                for n, (entry, imported_entry) in enumerate(newest_first_pairs)
                if _stable_part(entry) != _stable_part(imported_entry)
            ),
            None,
        )
        overlap = min(entry_index + 1, len(imported_entries)) if mismatch_index is None else 0
        if overlap > longest_overlap:
            best_index, longest_overlap = entry_index, overlap
    return best_index


def _entry_of(item: Item) -> Entry:
    (turn,) = turns([item], merge=False)
    turn_entry = turn.entry()
    return str(turn_entry["role"]), turn_entry["content"]


def _stable_part(entry: Entry) -> tuple[str, str]:
    """The part of an entry that merging its neighbour does not change."""
    role, content = entry
    content_text = content if isinstance(content, str) else json.dumps(content, sort_keys=True)
    return role, content_text.partition("\n\n")[0]


def _add_files(chat: Session, session_data: Mapping[str, Any]) -> None:
    for file in session_data.get("files") or ():
        try:
            chat.files.add(as_file(file))
        except InputError as error:
            _log.warning("a file of session %r is left behind: %s", chat.id, error)
