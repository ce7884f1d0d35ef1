"""The words of a text that carry sense, and which of them stand, in some form, in another."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Final

from threadkeep.longterm.extraction.languages.fold import fold, words
from threadkeep.longterm.extraction.languages.row import Language, compiled
from threadkeep.longterm.recall import tokenizer

_MIN_COMMON: Final = 0.55
"""The share of the longer of two words that both have, if they are forms of one."""

_UNSPACED: Final = re.compile("[\u0e00-\u0e7f]+|[\u3040-\u30ff\u3400-\u9fff]+")
_HANGUL: Final = re.compile("[\uac00-\ud7af]+")
_EMPTY_ROLES: Final = ("user", "first", "function", "negation")

Rows = tuple[Language, ...]


@functools.lru_cache(maxsize=1_024)
def content_words(text: str, rows: Rows) -> tuple[str, ...]:
    """The words with a sense of their own, each once; pairs of letters where no spaces are."""
    cleared = fold(text)
    for row in rows:
        if not row.spaced and row.code != "ko":
            for role in _EMPTY_ROLES:
                cleared = row.without(role, cleared)
    distinct: dict[str, None] = {}
    for word in words(cleared):
        if _HANGUL.fullmatch(word) and any(_is_korean_particle(word, row) for row in rows):
            continue
        for piece in _pieces(word):
            if not _is_empty(piece, rows):
                distinct[piece] = None
    return tuple(distinct)


def _pieces(word: str) -> Iterable[str]:
    if _HANGUL.fullmatch(word):  # what follows the stem are particles
        yield word[:2]
        return
    if not _UNSPACED.fullmatch(word):
        bare = word.removesuffix("'s")
        before, mark, after = bare.partition("'")
        yield after if mark and len(before) <= 2 and len(after) > 2 else bare  # j'apprends
    elif len(word) < 3:
        yield word
    else:
        yield from (word[n : n + 2] for n in range(len(word) - 1))


def _is_korean_particle(word: str, row: Language) -> bool:
    return row.code == "ko" and any(
        word == entry or ((len(entry) > 1 or role == "negation") and word.startswith(entry))
        for role in _EMPTY_ROLES
        for entry in row.words[role]
    )


def _is_empty(word: str, rows: Rows) -> bool:
    if word[0].isdigit() or (len(word) == 1 and word.isascii()):
        return True
    return any(_empty_words(row.code, rows).fullmatch(word) for row in rows if row.spaced)


@functools.lru_cache(maxsize=128)
def _empty_words(code: str, rows: Rows) -> re.Pattern[str]:
    row = next(row for row in rows if row.code == code)
    entries = {
        word
        for role in ("function", "first", "user", "negation", "calendar")
        for word in row.words[role]
        if " " not in word
    }
    return compiled([*sorted(entries), *row.numbers], spaced=True, prefixes=row.prefixes)


@functools.lru_cache(maxsize=8_192)
def is_form(word: str, other: str) -> bool:
    """Whether two words may be forms of one: the same stem, or most of their letters in a row."""
    if word == other or tokenizer.stem(word) == tokenizer.stem(other):
        return True
    if len(word) < 3 or len(other) < 3:
        return False
    longest = max(len(word), len(other))
    return _common(word, other) >= max(3, _MIN_COMMON * longest)


def _common(word: str, other: str) -> int:
    """How many letters in a row both have: from the beginning, or anywhere beyond ASCII."""
    if word.isascii():
        return _common_prefix(word, other)
    return max(
        _common_prefix(word[start:], other[begin:])
        for start in range(len(word))
        for begin in range(len(other))
    )


def _common_prefix(word: str, other: str) -> int:
    pairs = enumerate(zip(word, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(word), len(other)))


@functools.lru_cache(maxsize=4_096)
def groups_of(word: str, rows: Rows, *, topics: bool = False) -> frozenset[tuple[str, int]]:
    """The groups of interchangeable words that a word belongs to."""
    return frozenset(
        (row.code, number)
        for row in rows
        for number, pattern in enumerate(_groups(row.code, rows, topics))
        if pattern.fullmatch(word)
    )


@functools.lru_cache(maxsize=256)
def _groups(code: str, rows: Rows, topics: bool) -> tuple[re.Pattern[str], ...]:
    row = next(row for row in rows if row.code == code)
    return tuple(compiled(g, spaced=row.spaced) for g in (row.topics if topics else row.same))


@functools.lru_cache(maxsize=1_024)
def about(text: str, user: str | None, rows: Rows) -> tuple[str, ...]:
    """The words that say what a fact is about: not the user's name, nor how models put it."""
    names = frozenset(words(user or ""))
    return tuple(
        word
        for word in content_words(text, rows)
        if word not in names and not any(row.is_word("frame", word) for row in rows)
    )


def missing(
    terms: Iterable[str], text_words: Iterable[str], rows: Rows, small: Iterable[str] = ()
) -> list[str]:
    """The words of the first for which the second has none of the same sense.

    Args:
        terms: the words that are looked for.
        text_words: the words that carry the sense of a text.
        rows: of the languages.
        small: other words of the text, which may only stand for one: "have" for "eat".
    """
    others = tuple(text_words)
    meant = frozenset(group for other in (*others, *small) for group in groups_of(other, rows))
    return [
        word
        for word in terms
        if not (groups_of(word, rows) & meant) and not any(is_form(word, o) for o in others)
    ]


def share(terms: tuple[str, ...], text_words: Iterable[str], rows: Rows) -> float:
    """The share of words that stand in another text; 1 of nothing."""
    return 1 - len(missing(terms, text_words, rows)) / len(terms) if terms else 1.0
