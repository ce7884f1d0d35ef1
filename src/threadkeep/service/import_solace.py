"""Histories of Solace Agent Mesh's own History Service, taken over without touching them."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from threadkeep.adapters.shared import shared
from threadkeep.api.memory import Memory
from threadkeep.api.session import Session
from threadkeep.errors import ConfigError, InputError
from threadkeep.service.codec import as_item, is_empty, turns
from threadkeep.service.files import as_file
from threadkeep.service.history import HistoryService
from threadkeep.types import Item, Json
from threadkeep.types.timestamps import when

_ID: Final = "solace:"
_ACTION: Final = "tool_call"
_FRONT: Final = "sessions_"
_BACK: Final = "_history.json"

_log = logging.getLogger("threadkeep.service")

Entry = tuple[str, Json]


class Provider(Protocol):
    """What the history providers of Solace Agent Mesh have in common."""

    def get_all_sessions(self) -> list[str]: ...

    def get_session(self, session_id: str, /) -> Mapping[str, Any]: ...


def import_solace(
    source: str | Path | Provider,
    target: HistoryService | Memory | str,
    *,
    user_id: str | None = None,
) -> dict[str, int]:
    """Copy the histories and files of Solace Agent Mesh's History Service; entries of each.

    Nothing is written there. An import that broke off, or is repeated after more was said, adds
    only what is new, also where the old service has cut its front meanwhile. A history that
    cannot be read is passed over and logged; a summary is left behind and logged. Actions that no
    answer has followed yet are left behind, as the old service forgets them with the next message.

    Args:
        source: the folder of its `file` provider, or any history provider of it (`redis`,
            `mongodb`, `sql`, or one of your own), as the application made it.
        target: where to; what is too long for the policy of a `HistoryService` is deleted there.
        user_id: whose sessions they become; `None` = nobody's yet.

    Raises:
        ConfigError: there is no such folder.
        NotOwner: a session of that id belongs to another user here; those before it are there.
    """
    provider = _Folder(Path(source)) if isinstance(source, str | Path) else source
    memory = target.memory if isinstance(target, HistoryService) else shared(target)
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
        chat.add(*_new(chat, entries, data.get("last_active_time")))
        _add_files(chat, data)
        counts[session] = len(entries)
    return counts


class _Folder:
    """The folder of a `file` provider."""

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise ConfigError(f"there is no folder {str(path)!r} to import from")
        self._path = path

    def get_all_sessions(self) -> list[str]:
        names = sorted(path.name for path in self._path.glob(f"{_FRONT}*{_BACK}"))
        return [name.removeprefix(_FRONT).removesuffix(_BACK) for name in names]

    def get_session(self, session_id: str) -> Any:
        try:
            return json.loads((self._path / f"{_FRONT}{session_id}{_BACK}").read_text("utf-8"))
        except ValueError:
            return None


def _entries(data: Any) -> list[Entry] | None:
    try:
        said = [(entry["role"], entry["content"]) for entry in data["history"]]
    except (LookupError, TypeError):
        return None
    return [
        (str(role), content) for role, content in said if role != _ACTION and not is_empty(content)
    ]


def _new(chat: Session, entries: Sequence[Entry], at: Any) -> Iterator[Item]:
    """The items of entries that were not imported yet, numbered on from those that were.

    The last one that was is among them: neighbours of one role are merged, so it may have grown.
    """
    there = [item for item in chat.items() if item.id.startswith(_ID)]
    number = int(there[-1].id.removeprefix(_ID)) if there else 0
    place = _last(entries, [_entry(item) for item in there])
    if place is None:
        place, number = 0, number + bool(there)
    said = None if at is None else when(at, "last_active_time")
    for after, (role, content) in enumerate(entries[place:], start=number):
        yield dataclasses.replace(as_item(role, content), id=f"{_ID}{after}", created_at=said)


def _last(entries: Sequence[Entry], there: Sequence[Entry]) -> int | None:
    """The place of the newest entry that is there already; either side may lack a front.

    Where several would do, the first: a repeated word comes twice rather than not at all.
    """
    best, length = None, 0
    for place in range(len(entries)):
        pairs = zip(reversed(entries[: place + 1]), reversed(there), strict=False)
        same = next((n for n, (one, two) in enumerate(pairs) if _head(one) != _head(two)), None)
        whole = min(place + 1, len(there)) if same is None else 0
        if whole > length:
            best, length = place, whole
    return best


def _entry(item: Item) -> Entry:
    (turn,) = turns([item], merge=False)
    entry = turn.entry()
    return str(entry["role"]), entry["content"]


def _head(entry: Entry) -> tuple[str, str]:
    """What stays of an entry when its neighbour is merged into it."""
    role, content = entry
    text = content if isinstance(content, str) else json.dumps(content, sort_keys=True)
    return role, text.partition("\n\n")[0]


def _add_files(chat: Session, data: Mapping[str, Any]) -> None:
    for file in data.get("files") or ():
        try:
            chat.files.add(as_file(file))
        except InputError as error:
            _log.warning("a file of session %r is left behind: %s", chat.id, error)
