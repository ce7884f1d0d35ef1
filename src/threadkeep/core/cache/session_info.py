"""What is known of the sessions used last, so that a new handle need not ask."""

from __future__ import annotations

from typing import Final, NamedTuple

from threadkeep.core.cache.generational import AGE, GenerationalCache
from threadkeep.types import SessionInfo

_ROOM: Final = 5_000
_LARGE: Final = 100  # what one with much metadata weighs
_KEYS: Final = 16  # as in the OpenAI API, values too
_LENGTH: Final = 512


class CachedInfo(NamedTuple):
    """A session's record as it was at a version of its stream, read or begun at a time."""

    info: SessionInfo
    version: int
    since: float


class SessionInfoCache:
    """Sessions by stream: the last 10,000, or 100 of those with much metadata."""

    def __init__(self) -> None:
        self._known: GenerationalCache[str, CachedInfo] = GenerationalCache(_ROOM, _weight)

    def find(self, stream: str, now: float) -> CachedInfo | None:
        """What is known of a stream, unless it was read too long ago."""
        found = self._known.get(stream)
        return found if found is not None and 0 <= now - found.since < AGE else None

    def keep(self, stream: str, known: CachedInfo) -> None:
        """Know this from now on."""
        self._known.put(stream, known)

    def drop(self, stream: str) -> None:
        """Know nothing of it."""
        self._known.drop(stream)

    def clear(self) -> None:
        """Know nothing."""
        self._known.clear()


def _weight(known: CachedInfo) -> int:
    info = known.info
    short = len(info.title or "") <= _LENGTH and len(info.metadata) <= _KEYS
    return 1 if short and all(map(_is_short, info.metadata.values())) else _LARGE


def _is_short(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _LENGTH
    return value is None or isinstance(value, (bool, int, float))
