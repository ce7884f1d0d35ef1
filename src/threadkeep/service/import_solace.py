"""Imports histories of Solace Agent Mesh's own History Service; the source is only read."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from threadkeep.adapters.shared import shared_memory
from threadkeep.api.memory import Memory
from threadkeep.api.session import Session
from threadkeep.errors import ConfigError, InputError
from threadkeep.service.codec import as_item, is_empty, turns
from threadkeep.service.files import as_file
from threadkeep.service.history import HistoryService
from threadkeep.types import Item, Json
from threadkeep.types.timestamps import parse_time

_ID_PREFIX: Final = "solace:"
_ACTION_ROLE: Final = "tool_call"
_FILE_PREFIX: Final = "sessions_"
_FILE_SUFFIX: Final = "_history.json"

_log = logging.getLogger("threadkeep.service")

Entry = tuple[str, Json]


class SolaceProvider(Protocol):
    """What the history providers of Solace Agent Mesh have in common."""

    def get_all_sessions(self) -> list[str]: ...

    def get_session(self, session_id: str, /) -> Mapping[str, Any]: ...


def import_solace(
    source: str | Path | SolaceProvider,
    target: HistoryService | Memory | str,
    *,
    user_id: str | None = None,
) -> dict[str, int]:
    """Copy the histories and files of Solace Agent Mesh's History Service; returns entry counts.

    Nothing is written to the source. A repeated import adds only new entries, also if the old
    service has deleted its oldest entries meanwhile. A history that
    cannot be read is skipped and logged; a summary is not imported and logged. Actions that no
    answer has followed yet are left behind, as the old service forgets them with the next message.

    Args:
        source: the folder of its `file` provider, or any history provider of it (`redis`,
            `mongodb`, `sql`, or one of your own), as the application made it.
        target: the target store; the policy of a `HistoryService` applies there.
        user_id: the owner of the imported sessions; `None` = no owner yet.

    Raises:
        ConfigError: there is no such folder.
        NotOwner: a session of that id belongs to another user here; earlier ones are imported.
    """
    provider = _FolderProvider(Path(source)) if isinstance(source, str | Path) else source
    memory = target.memory if isinstance(target, HistoryService) else shared_memory(target)
    counts = dict[str, int]()
    for session in provider.get_all_sessions():
        data = provider.get_session(session)
        entries = _entries(data)
        if entries is None:
            _log.warning("the history of session %r cannot be read, passed over", session)
            continue
        if data.get("summary"):
            _log.warning("the summary of session %r is left behind", session)
        chat = memory.session(session, user=user_id)
        chat.add(*_new_items(chat, entries, data.get("last_active_time")))
        _add_files(chat, data)
        counts[session] = len(entries)
    return counts


class _FolderProvider:
    """Reads the folder of a `file` provider."""

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise ConfigError(f"there is no folder {str(path)!r} to import from")
        self._path = path

    def get_all_sessions(self) -> list[str]:
        names = sorted(path.name for path in self._path.glob(f"{_FILE_PREFIX}*{_FILE_SUFFIX}"))
        return [name.removeprefix(_FILE_PREFIX).removesuffix(_FILE_SUFFIX) for name in names]

    def get_session(self, session_id: str) -> Any:
        try:
            return json.loads(
                (self._path / f"{_FILE_PREFIX}{session_id}{_FILE_SUFFIX}").read_text("utf-8")
            )
        except ValueError:
            return None


def _entries(data: Any) -> list[Entry] | None:
    try:
        pairs = [(entry["role"], entry["content"]) for entry in data["history"]]
    except (LookupError, TypeError):
        return None
    return [
        (str(role), content)
        for role, content in pairs
        if role != _ACTION_ROLE and not is_empty(content)
    ]


def _new_items(chat: Session, entries: Sequence[Entry], last_active: Any) -> Iterator[Item]:
    """The items of entries that were not imported yet, numbered after the imported ones.

    The last imported entry is among them: merging may have extended it.
    """
    imported = [item for item in chat.items() if item.id.startswith(_ID_PREFIX)]
    number = int(imported[-1].id.removeprefix(_ID_PREFIX)) if imported else 0
    index = _last_imported(entries, [_entry_of(item) for item in imported])
    if index is None:
        index, number = 0, number + bool(imported)
    created_at = None if last_active is None else parse_time(last_active, "last_active_time")
    for position, (role, content) in enumerate(entries[index:], start=number):
        yield dataclasses.replace(
            as_item(role, content), id=f"{_ID_PREFIX}{position}", created_at=created_at
        )


def _last_imported(entries: Sequence[Entry], imported: Sequence[Entry]) -> int | None:
    """The index of the newest entry that is imported already; either side may lack old entries.

    The first of several candidates: a repeated text is imported twice rather than lost.
    """
    best, length = None, 0
    for index in range(len(entries)):
        pairs = zip(reversed(entries[: index + 1]), reversed(imported), strict=False)
        mismatch = next(
            (
                n
                for n, (entry, other) in enumerate(pairs)
                if _stable_part(entry) != _stable_part(other)
            ),
            None,
        )
        overlap = min(index + 1, len(imported)) if mismatch is None else 0
        if overlap > length:
            best, length = index, overlap
    return best


def _entry_of(item: Item) -> Entry:
    (turn,) = turns([item], merge=False)
    entry = turn.entry()
    return str(entry["role"]), entry["content"]


def _stable_part(entry: Entry) -> tuple[str, str]:
    """The part of an entry that merging its neighbour does not change."""
    role, content = entry
    text = content if isinstance(content, str) else json.dumps(content, sort_keys=True)
    return role, text.partition("\n\n")[0]


def _add_files(chat: Session, data: Mapping[str, Any]) -> None:
    for file in data.get("files") or ():
        try:
            chat.files.add(as_file(file))
        except InputError as error:
            _log.warning("a file of session %r is left behind: %s", chat.id, error)
