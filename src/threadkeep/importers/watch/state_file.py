"""How far each transcript was read, in a file, so that the next start goes on from there."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from threadkeep.importers.watch.growing_file import Position

_VERSION: Final = 1


class StateFile:
    """A file of positions; without a path nothing is kept.

    A file that is damaged, or of another target, is no error: transcripts are then read from their
    beginning, and nothing is stored twice.

    Args:
        path: of the file; it is made with its folders.
        target: names the store, namespace and user that the positions are of.
    """

    def __init__(self, path: Path | None, target: str) -> None:
        self._path, self._target = path, target
        self._saved: Mapping[str, Position] = {}

    def load(self) -> dict[str, Position]:
        """The positions by path."""
        try:
            raw_state = json.loads(self._path.read_bytes()) if self._path else None
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(raw_state, dict) or raw_state.get("version") != _VERSION:
            return {}
        raw_positions = raw_state.get("files")
        if raw_state.get("target") != self._target or not isinstance(raw_positions, dict):
            return {}
        self._saved = {path: Position.of_json(entry) for path, entry in raw_positions.items()}
        return dict(self._saved)

    def save(self, positions: Mapping[str, Position]) -> None:
        """Store the positions, if they changed, in one step.

        Raises:
            OSError: the file cannot be written.
        """
        if self._path is None or positions == self._saved:
            return
        entry_by_path = {path: position.to_json() for path, position in positions.items()}
        state = {"version": _VERSION, "target": self._target, "files": entry_by_path}
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary_path = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        descriptor = os.open(temporary_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(state, file)
        temporary_path.replace(self._path)
        self._saved = dict(positions)


def default_folder() -> Path:
    """The folder in which programs keep their state."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "threadkeep"
    state_home = os.environ.get("XDG_STATE_HOME")
    return (Path(state_home) if state_home else Path.home() / ".local" / "state") / "threadkeep"
