"""What was found damaged is told to the log, once per place; never what was written there."""

from __future__ import annotations

import logging
from typing import Final

_LOG: Final = logging.getLogger("threadkeep.backends.file")
_MOST: Final = 10_000
_told: set[tuple[str, int, str]] = set()


def once(path: str, offset: int, what: str) -> None:
    """Warn of `what` at a place of a file, unless this process did so before."""
    key = (path, offset, what)
    if key in _told:
        return
    if len(_told) >= _MOST:
        _told.clear()
    _told.add(key)
    _LOG.warning("%s, byte %d: %s", path, offset, what)
