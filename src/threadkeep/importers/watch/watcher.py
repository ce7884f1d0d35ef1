"""Follows all transcripts of some folders."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from threadkeep.adapters.shared import shared_memory
from threadkeep.api.memory import Memory
from threadkeep.core.settings import Settings
from threadkeep.core.user_id import UserId, optional_user_id
from threadkeep.errors import ConfigError
from threadkeep.importers.report import ImportReport
from threadkeep.importers.secrets import redact_secrets
from threadkeep.importers.watch.growing_file import Position
from threadkeep.importers.watch.state_file import StateFile, default_folder
from threadkeep.importers.watch.transcript import Target, Transcript
from threadkeep.printable import shown

_SUFFIX: Final = ".jsonl"
_PROBED_SESSIONS: Final = 1

Redactor = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True)
class _Redacting:
    """Names a redactor, as an engine does."""

    settings: Settings


class Watcher:
    """Stores what Claude Code and Codex append to their transcripts; each `poll` reads on.

    Nothing is stored twice: ids are the transcripts' own or made of their content, and how far
    each was read is kept in a file. A line that is written in part is waited for. What was deleted
    here comes back only if its transcript is cut off or replaced.

    Args:
        memory: the target: a `Memory`, or a URL; `None` = the store of `threadkeep.connect()`.
        folders: folders of transcripts, or single ones; `None` = those of the two programs.
        user: whose sessions they become.
        redactor: takes secrets out of what is stored, as `connect(redactor=)` does and beside it;
            `None` = nothing does.
        state: the file that keeps how far each was read; `None` = one in the user's folder of
            states, named after store and user; `False` = none, so that each start reads all.

    Raises:
        ConfigError: a folder is not there, or there is none.
    """

    def __init__(
        self,
        memory: Memory | str | None = None,
        folders: Iterable[str | Path] | None = None,
        *,
        user: UserId | None = None,
        redactor: Redactor | None = redact_secrets,
        state: str | Path | bool | None = None,
    ) -> None:
        self._memory = shared_memory(memory)
        self._owner = optional_user_id(user)
        self._redactor = None if redactor is None else _Redacting(Settings(redactor=redactor))
        self.folders = _checked_folders(folders)
        target_identity = _identity(self._memory, self._owner)
        self._state = StateFile(_state_path(state, target_identity), target_identity)
        self._positions = self._state.load() if self._has_sessions() else {}
        self._transcripts: dict[str, Transcript] = {}

    def poll(self) -> ImportReport:
        """Read what was appended since the last poll, and store it.

        Raises:
            BackendError: the store did not answer; the next poll goes on from the same place.
        """
        report = ImportReport()
        target = Target(self._memory, self._owner, self._redactor, report)
        transcript_by_path = dict(self._present())
        for path in [path for path in self._transcripts if path not in transcript_by_path]:
            del self._transcripts[path]
            self._positions.pop(path, None)
        for path, transcript in transcript_by_path.items():
            self._poll(path, transcript, target)
        self._state.save(self._positions)
        return report

    def _poll(self, path: str, transcript: Transcript, target: Target) -> None:
        try:
            if transcript.poll(target):
                self._positions[path] = transcript.position
                self._state.save(self._positions)
        except OSError as error:
            target.report.skip(path, f"it cannot be read: {error.strerror or error}")

    def _present(self) -> Iterator[tuple[str, Transcript]]:
        for watched_path in self.folders:
            for path in _transcripts(watched_path):
                path_text = str(path)
                if path_text not in self._transcripts:
                    position = self._positions.get(path_text, Position())
                    self._transcripts[path_text] = Transcript(path, watched_path, position)
                yield path_text, self._transcripts[path_text]

    def _has_sessions(self) -> bool:
        """Whether there is anything in the store: in an emptied one, all is to be read again."""
        return bool(self._memory.sessions(user=self._owner, limit=_PROBED_SESSIONS))


def default_folders() -> list[Path]:
    """Where Claude Code and Codex keep their transcripts, as far as these folders are there."""
    claude = Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude") / "projects"
    codex = Path(os.environ.get("CODEX_HOME") or Path.home() / ".codex") / "sessions"
    return [folder for folder in (claude, codex) if folder.is_dir()]


def _checked_folders(folders: Iterable[str | Path] | None) -> Sequence[Path]:
    if folders is None:
        watched_paths = default_folders()
    else:
        watched_paths = [Path(folder).expanduser().absolute() for folder in folders]
    for watched_path in watched_paths:
        if not watched_path.exists():
            raise ConfigError(f"there is no folder or file {shown(str(watched_path))} to watch")
    if not watched_paths:
        raise ConfigError(
            "neither Claude Code nor Codex has transcripts here: pass the folder to watch"
        )
    return watched_paths


def _transcripts(watched_path: Path) -> Iterator[Path]:
    """The transcripts of a folder, sorted; links are not followed."""
    if watched_path.is_file():
        yield watched_path
        return
    for path in sorted(watched_path.rglob(f"*{_SUFFIX}")):
        if path.is_file() and not path.is_symlink():
            yield path


def _identity(memory: Memory, owner: str | None) -> str:
    settings = memory.describe()
    path = settings.get("path", "")
    parts = (repr(memory), str(Path(path).absolute()) if path else "", owner or "")
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _state_path(state: str | Path | bool | None, identity: str) -> Path | None:
    if state is False:
        return None
    if state is None or state is True:
        return default_folder() / f"watch-{identity}.json"
    return Path(state).expanduser()
