"""Logs damaged lines, once per file and offset, and never their content."""

from __future__ import annotations

import logging
from typing import Final

_LOG: Final = logging.getLogger("threadkeep.backends.file")
_MAX_WARNINGS: Final = 10_000
_warned: set[tuple[str, int, str]] = set()


def warn_once(path: str, offset: int, message: str) -> None:
    """Log a warning about an offset of a file, unless this process did so before."""
    warning_key = (path, offset, message)
    if warning_key in _warned:
        return
    if len(_warned) >= _MAX_WARNINGS:
        _warned.clear()
    _warned.add(warning_key)
    _LOG.warning("%s, byte %d: %s", path, offset, message)
