"""What of Solace Agent Mesh's History Service is imported from: its providers and its folders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from threadkeep.errors import ConfigError
from threadkeep.printable import shown

_FILE_PREFIX: Final = "sessions_"
_FILE_SUFFIX: Final = "_history.json"


class SolaceProvider(Protocol):
    """What the history providers of Solace Agent Mesh have in common."""

    def get_all_sessions(self) -> list[str]: ...

    def get_session(self, session_id: str, /) -> Mapping[str, Any]: ...


def open_source(source: str | Path | SolaceProvider) -> SolaceProvider:
    """A provider as it is, or one that reads the folder of a `file` provider.

    Raises:
        ConfigError: there is no such folder.
    """
    return _FolderProvider(Path(source)) if isinstance(source, str | Path) else source


class _FolderProvider:
    """Reads the folder of a `file` provider."""

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise ConfigError(f"there is no folder {shown(str(path))} to import from")
        self._path = path

    def get_all_sessions(self) -> list[str]:
        files = sorted(path.name for path in self._path.glob(f"{_FILE_PREFIX}*{_FILE_SUFFIX}"))
        return [name.removeprefix(_FILE_PREFIX).removesuffix(_FILE_SUFFIX) for name in files]

    def get_session(self, session_id: str) -> Any:
        try:
            return json.loads(
                (self._path / f"{_FILE_PREFIX}{session_id}{_FILE_SUFFIX}").read_text("utf-8")
            )
        except ValueError:
            return None
