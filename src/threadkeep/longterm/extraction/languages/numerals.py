"""Numbers in a text, in digits or in words, each with all that it may mean."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from typing import Final

from threadkeep.longterm.extraction.languages.fold import fold
from threadkeep.longterm.extraction.languages.row import Language

_DIGITS: Final = re.compile(
    r"(')?(\d+(?:[.,:]\d+)*)\s?(k|m|mio|million|mil|thousand|tsd|\u4e07|\u5343|\ub9cc|\ucc9c)?(?!\w)"
    r"|(\d+(?:[.,:]\d+)*)"
)
_SCALES: Final = {
    **dict.fromkeys(("k", "thousand", "tsd", "mil", "\u5343", "\ucc9c"), 1e3),
    **dict.fromkeys(("\u4e07", "\ub9cc"), 1e4),
    **dict.fromkeys(("m", "mio", "million"), 1e6),
}

Reading = frozenset[float]


def readings(text: str, rows: Iterable[Language]) -> list[Reading]:
    """Each number of a text, as the set of what it may mean."""
    folded = "".join(_ascii_digit(character) for character in fold(text))
    in_digits = [_digits(match) for match in _DIGITS.finditer(folded)]
    return in_digits + [
        frozenset({float(value)}) for row in rows for value in _in_words(folded, row)
    ]


def _ascii_digit(character: str) -> str:
    return str(int(character)) if character.isdecimal() and not character.isascii() else character


def _digits(match: re.Match[str]) -> Reading:
    token, scale = match[2] or match[4], match[3]
    values = set(_values(token))
    if scale:
        values |= {value * _SCALES[scale] for value in values}
    if scale == "m":  # metres
        values |= {value * 100 for value in _values(token)}
    if len(token) == 2 and token.isdigit():  # '92
        values |= {1900.0 + int(token), 2000.0 + int(token)}
    return frozenset(round(value, 6) for value in values)


def _values(token: str) -> Iterator[float]:
    """What digits with separators may mean."""
    if ":" in token:
        hours, _, minutes = token.partition(":")
        yield float(hours) + (float(minutes[:2]) / 100 if minutes[:2].isdigit() else 0)
        if minutes.strip("0:") == "":
            yield float(hours)
            yield float(hours) - 12 if float(hours) > 12 else float(hours)
        return
    plain = re.sub(r"[.,](?=\d{3}(?:\D|$))", "", token)
    for form in {plain, token}:
        head, *rest = re.split(r"[.,]", form)
        if len(rest) == 0:
            yield float(head)
        elif len(rest) == 1:
            yield float(f"{head}.{rest[0]}")
        else:
            yield from (float(part) for part in (head, *rest))


def _in_words(folded: str, row: Language) -> Iterator[int]:
    """The numbers in words, put together: twenty nine, zwei hundert, \u4e8c\u5341\u4e5d."""
    if not row.spaced:
        for run in _runs(row.code).findall(folded):
            yield _sum(_parts(run, row))
        return
    pending: list[int] = []
    for word in re.split(r"[\s\-]+", folded):
        parts = _parts(word.strip(".,!?;:()"), row)
        if parts:
            pending += parts
        elif pending and word not in ("and", "und", "et", "y", "e"):
            yield _sum(pending)
            pending = []
    if pending:
        yield _sum(pending)


@functools.lru_cache(maxsize=16)
def _runs(code: str) -> re.Pattern[str]:
    from threadkeep.longterm.extraction.languages.row import language

    ordered = sorted(language(code).numbers, key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(map(re.escape, ordered))})+")


def _parts(word: str, row: Language) -> list[int]:
    """A word as words of numbers; empty if it is none."""
    if word in row.numbers:
        return [row.numbers[word]]
    parts: list[int] = []
    while word:
        end = next((n for n in range(len(word), 0, -1) if word[:n] in row.numbers), 0)
        if not end and parts and word.startswith("und"):
            word = word[3:]
            continue
        if not end or (row.spaced and end < 3):
            return []
        parts.append(row.numbers[word[:end]])
        word = word[end:]
    return parts


def _sum(parts: list[int]) -> int:
    total, current = 0, 0
    for value in parts:
        if value in (1_000, 10_000, 1_000_000):
            total, current = total + max(current, 1) * value, 0
        elif value in (10, 20, 100) and 0 < current % 100 < 10 and value != 20 and value >= 10:
            current = current * value if value != 10 or current < 10 else current + value
        else:
            current += value
    return total + current


def unsaid(claimed: list[Reading], spoken: list[Reading]) -> list[Reading]:
    """The numbers of the first that are not among the second."""
    meant = frozenset().union(*spoken) if spoken else frozenset()
    return [reading for reading in claimed if not reading & meant]
