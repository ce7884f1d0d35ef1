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
    folded_text = "".join(_ascii_digit(character) for character in fold(text))
    digit_readings = [_digits(digit_match) for digit_match in _DIGITS.finditer(folded_text)]
    return digit_readings + [
        frozenset({float(word_value)})
        for language in rows
        for word_value in _in_words(folded_text, language)
    ]


def _ascii_digit(character: str) -> str:
    return str(int(character)) if character.isdecimal() and not character.isascii() else character


def _digits(match: re.Match[str]) -> Reading:
    digits, scale_suffix = match[2] or match[4], match[3]
    possible_values = set(_values(digits))
    if scale_suffix:
        possible_values |= {value * _SCALES[scale_suffix] for value in possible_values}
    if scale_suffix == "m":  # metres
        possible_values |= {value * 100 for value in _values(digits)}
    if len(digits) == 2 and digits.isdigit():  # '92
        possible_values |= {1900.0 + int(digits), 2000.0 + int(digits)}
    return frozenset(round(value, 6) for value in possible_values)


def _values(token: str) -> Iterator[float]:
    """What digits with separators may mean."""
    if ":" in token:
        hours, _, minutes = token.partition(":")
        yield float(hours) + (float(minutes[:2]) / 100 if minutes[:2].isdigit() else 0)
        if minutes.strip("0:") == "":
            yield float(hours)
            yield float(hours) - 12 if float(hours) > 12 else float(hours)
        return
    token_without_separators = re.sub(r"[.,](?=\d{3}(?:\D|$))", "", token)
    for spelling in {token_without_separators, token}:
        first_group, *other_groups = re.split(r"[.,]", spelling)
        if len(other_groups) == 0:
            yield float(first_group)
        elif len(other_groups) == 1:
            yield float(f"{first_group}.{other_groups[0]}")
        else:
            yield from (float(digit_group) for digit_group in (first_group, *other_groups))


def _in_words(folded: str, language_row: Language) -> Iterator[int]:
    """The numbers in words, put together: twenty nine, zwei hundert, \u4e8c\u5341\u4e5d."""
    if not language_row.spaced:
        for numeral_run in _runs(language_row.code).findall(folded):
            yield _sum(_parts(numeral_run, language_row))
        return
    pending_numbers: list[int] = []
    for word in re.split(r"[\s\-]+", folded):
        word_numbers = _parts(word.strip(".,!?;:()"), language_row)
        if word_numbers:
            pending_numbers += word_numbers
        elif pending_numbers and word not in ("and", "und", "et", "y", "e"):
            yield _sum(pending_numbers)
            pending_numbers = []
    if pending_numbers:
        yield _sum(pending_numbers)


@functools.lru_cache(maxsize=16)
def _runs(code: str) -> re.Pattern[str]:
    from threadkeep.longterm.extraction.languages.row import language

    sorted_numerals = sorted(language(code).numbers, key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(map(re.escape, sorted_numerals))})+")


def _parts(word: str, row: Language) -> list[int]:
    """A word as words of numbers; empty if it is none."""
    if word in row.numbers:
        return [row.numbers[word]]
    word_numbers: list[int] = []
    while word:
        prefix_length = next((n for n in range(len(word), 0, -1) if word[:n] in row.numbers), 0)
        if not prefix_length and word_numbers and word.startswith("und"):
            word = word[3:]
            continue
        if not prefix_length or (row.spaced and prefix_length < 3):
            return []
        word_numbers.append(row.numbers[word[:prefix_length]])
        word = word[prefix_length:]
    return word_numbers


def _sum(numbers: list[int]) -> int:
    number_sum, current_group = 0, 0
    for n in numbers:
        if n in (1_000, 10_000, 1_000_000):
            number_sum, current_group = number_sum + max(current_group, 1) * n, 0
        elif n in (10, 20, 100) and 0 < current_group % 100 < 10 and n != 20 and n >= 10:
            current_group = (
                current_group * n if n != 10 or current_group < 10 else current_group + n
            )
        else:
            current_group += n
    return number_sum + current_group


def unsaid(claimed: list[Reading], spoken: list[Reading]) -> list[Reading]:
    """The numbers of the first that are not among the second."""
    spoken_values = frozenset().union(*spoken) if spoken else frozenset()
    return [reading for reading in claimed if not reading & spoken_values]
