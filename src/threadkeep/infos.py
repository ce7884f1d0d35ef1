"""What is known of the sessions used last, so that a new handle need not ask."""

from __future__ import annotations

from typing import Final

from threadkeep.recent import Recent
from threadkeep.types import SessionInfo

Known = tuple[SessionInfo, int]
"""A session's record as it was at a version of its stream."""

_SMALL: Final = 5_000
_LARGE: Final = 50
_KEYS: Final = 16  # as in the OpenAI API, values too
_LENGTH: Final = 512


class Infos:
    """Sessions by stream, each at a version; those with much metadata are few."""

    def __init__(self) -> None:
        self._small: Recent[str, Known] = Recent(_SMALL)
        self._large: Recent[str, Known] = Recent(_LARGE)

    def get(self, stream: str) -> Known | None:
        """What is known of it, and at which version."""
        return self._small.get(stream) or self._large.get(stream)

    def put(self, stream: str, info: SessionInfo, version: int) -> None:
        """Know this from now on."""
        small, large = self._small, self._large
        here, there = (small, large) if _is_small(info) else (large, small)
        there.drop(stream)
        here.put(stream, (info, version))

    def drop(self, stream: str) -> None:
        """Know nothing of it."""
        self._small.drop(stream)
        self._large.drop(stream)

    def clear(self) -> None:
        """Know nothing."""
        self._small.clear()
        self._large.clear()


def _is_small(info: SessionInfo) -> bool:
    if len(info.title or "") > _LENGTH or len(info.metadata) > _KEYS:
        return False
    return all(_is_short(value) for value in info.metadata.values())


def _is_short(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _LENGTH
    return value is None or isinstance(value, (bool, int, float))
