"""A cache of session records, so that a new handle needs no read."""

from __future__ import annotations

from operator import attrgetter
from typing import Final, NamedTuple, Self

from threadkeep.core.cache.generational import MAX_AGE, GenerationalCache
from threadkeep.types import SessionInfo

_CAPACITY: Final = 5_000
_LARGE_WEIGHT: Final = 100  # of a session with much metadata
_MAX_KEYS: Final = 16  # as in the OpenAI API, like the length
_MAX_LENGTH: Final = 512


class CachedInfo(NamedTuple):
    """A session's record at a version of its stream, and when it was read or created."""

    info: SessionInfo
    version: int
    since: float
    weight: int

    @classmethod
    def of(cls, info: SessionInfo, version: int, since: float) -> Self:
        """As it was read from the store."""
        return cls(info, version, since, _weight(info))

    def at(self, version: int) -> CachedInfo:
        """The same at another version."""
        return CachedInfo(self.info, version, self.since, self.weight)


class SessionInfoCache:
    """Caches sessions by stream: the last 10,000, or 100 of those with much metadata."""

    def __init__(self) -> None:
        self._cache: GenerationalCache[str, CachedInfo] = GenerationalCache(
            _CAPACITY, attrgetter("weight")
        )

    def get(self, stream: str, now: float) -> CachedInfo | None:
        """The cached session of a stream, unless it was read too long ago."""
        cached_info = self._cache.get(stream)
        return (
            cached_info
            if cached_info is not None and 0 <= now - cached_info.since < MAX_AGE
            else None
        )

    def put(self, stream: str, cached: CachedInfo) -> None:
        """Cache the session of a stream."""
        self._cache.put(stream, cached)

    def drop(self, stream: str) -> None:
        """Drop the session of a stream."""
        self._cache.drop(stream)

    def clear(self) -> None:
        """Drop all sessions."""
        self._cache.clear()


def _weight(info: SessionInfo) -> int:
    is_small = len(info.title or "") <= _MAX_LENGTH and len(info.metadata) <= _MAX_KEYS
    return 1 if is_small and all(map(_is_short, info.metadata.values())) else _LARGE_WEIGHT


def _is_short(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _MAX_LENGTH
    return value is None or isinstance(value, (bool, int, float))
