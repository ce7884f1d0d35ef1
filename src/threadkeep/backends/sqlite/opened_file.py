"""Whether the file that a store has open is still the one at its path."""

from __future__ import annotations

import os

from threadkeep.errors import BackendError


class OpenedFile:
    """The file at a path, as it was when it was first opened.

    In WAL mode SQLite goes on writing to a file that was deleted or replaced, and all of that is
    lost when the last connection is closed.

    Args:
        path: of the file; `None` = the store is in memory.
        location: as errors name it.
    """

    def __init__(self, path: str | None, location: str) -> None:
        self._path, self._location = path, location
        self._identity: tuple[int, int] | None = None

    def remember(self) -> None:
        """Take note of the file, when the first connection is open."""
        if self._identity is None:
            self._identity = self._current()

    def check(self) -> None:
        """Make sure that the file is the one that was opened.

        Raises:
            BackendError: it was deleted, moved or replaced.
        """
        if self._identity is not None and self._current() != self._identity:
            raise BackendError(
                f"{self._location} was deleted, moved or replaced while it was open: put it back, "
                "or open the store again"
            )

    def _current(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            status = os.stat(self._path)  # noqa: PTH116 - at every write
        except OSError:
            return None
        return status.st_dev, status.st_ino
