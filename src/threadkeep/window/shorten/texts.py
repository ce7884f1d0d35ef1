"""Cut a text to a size: its head and tail stay, and a marker between them says what is missing."""

from __future__ import annotations

import functools
from typing import Final

from threadkeep.protocols import TokenCounter

_HEAD_SHARE: Final = 2 / 3
_SAMPLE: Final = 1_000
_MOST_CACHED: Final = 256_000  # characters of a text that is kept for the next window
_JOINERS: Final = frozenset("\u200d\ufe0e\ufe0f")


def cut_points(text: str, cap: int, size: TokenCounter, marker: str) -> tuple[int, int]:
    """How much of a text stays: up to where its head, and from where its tail.

    Args:
        text: of more than `cap`.
        cap: the most that head, tail and marker may take.
        size: measures a text.
        marker: what will stand between them.
    """
    if len(text) <= _MOST_CACHED:
        return _cached_cut_points(text, cap, size, marker)  # type: ignore[arg-type]  # hashed by identity
    return _cut_points(text, cap, size, marker)


def _cut_points(text: str, cap: int, size: TokenCounter, marker: str) -> tuple[int, int]:
    text_sample = text[:_SAMPLE] + text[-_SAMPLE:]
    remaining_size = cap - size(marker)
    kept_length = min(len(text) - 1, remaining_size * len(text_sample) // max(1, size(text_sample)))
    while kept_length > 0:
        head_length = int(kept_length * _HEAD_SHARE)
        head_end = _head_end(text, head_length)
        tail_start = _tail_start(text, len(text) - (kept_length - head_length))
        cut_size = size(text[:head_end] + marker + text[tail_start:])
        if cut_size <= cap:
            return head_end, tail_start
        kept_length = min(kept_length - 1, int(kept_length * cap / cut_size * 0.98))
    return 0, len(text)


_cached_cut_points = functools.lru_cache(maxsize=64)(_cut_points)


def _head_end(text: str, end: int) -> int:
    """The end of the last line within the last fifth of the head, else of the last character."""
    newline_index = text.rfind("\n", end - end // 5, end)
    return newline_index + 1 if newline_index >= 0 else _boundary(text, end, -1)


def _tail_start(text: str, start: int) -> int:
    newline_index = text.find("\n", start, start + (len(text) - start) // 5)
    return newline_index + 1 if newline_index >= 0 else _boundary(text, start, 1)


def _boundary(text: str, index: int, direction: int) -> int:
    """The nearest place that does not part a letter from its marks, or an emoji."""
    while 0 < index < len(text) and _is_joined(text[index - 1], text[index]):
        index += direction
    return index


def _is_joined(before: str, after: str) -> bool:
    if after.isascii() and before.isascii():
        return False
    import unicodedata  # only for texts of other scripts, and slow to import

    return (
        after in _JOINERS
        or before == "\u200d"
        or unicodedata.category(after) in {"Mn", "Mc", "Me", "Sk"}
    )
