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
    remaining_text = fold(text)
    for language in rows:
        if not language.spaced and language.code != "ko":
            for word_role in _EMPTY_ROLES:
                remaining_text = language.without(word_role, remaining_text)
    ordered_words: dict[str, None] = {}
    for word in words(remaining_text):
        if _HANGUL.fullmatch(word) and any(
            _is_korean_particle(word, language) for language in rows
        ):
            continue
        for word_piece in _pieces(word):
            if not _is_empty(word_piece, rows):
                ordered_words[word_piece] = None
    return tuple(ordered_words)


def _pieces(word: str) -> Iterable[str]:
    if _HANGUL.fullmatch(word):  # what follows the stem are particles
        yield word[:2]
        return
    if not _UNSPACED.fullmatch(word):
        word_without_s = word.removesuffix("'s")
        elided_word, apostrophe, main_word = word_without_s.partition("'")
        yield (
            main_word
            if apostrophe and len(elided_word) <= 2 and len(main_word) > 2
            else word_without_s
        )  # j'apprends
    elif len(word) < 3:
        yield word
    else:
        yield from (word[i : i + 2] for i in range(len(word) - 1))


def _is_korean_particle(word: str, row: Language) -> bool:
    return row.code == "ko" and any(
        word == particle
        or ((len(particle) > 1 or word_role == "negation") and word.startswith(particle))
        for word_role in _EMPTY_ROLES
        for particle in row.words[word_role]
    )


def _is_empty(word: str, rows: Rows) -> bool:
    if word[0].isdigit() or (len(word) == 1 and word.isascii()):
        return True
    return any(
        _empty_words(language.code, rows).fullmatch(word) for language in rows if language.spaced
    )


@functools.lru_cache(maxsize=128)
def _empty_words(code: str, rows: Rows) -> re.Pattern[str]:
    language = next(language for language in rows if language.code == code)
    empty_words = {
        word
        for word_role in ("function", "first", "user", "negation", "calendar")
        for word in language.words[word_role]
        if " " not in word
    }
    return compiled(
        [*sorted(empty_words), *language.numbers], spaced=True, prefixes=language.prefixes
    )


@functools.lru_cache(maxsize=8_192)
def is_form(word: str, other: str) -> bool:
    """Whether two words may be forms of one: the same stem, or most of their letters in a row."""
    if word == other or tokenizer.stem(word) == tokenizer.stem(other):
        return True
    if len(word) < 3 or len(other) < 3:
        return False
    longer_length = max(len(word), len(other))
    return _common(word, other) >= max(3, _MIN_COMMON * longer_length)


def _common(word: str, other: str) -> int:
    """How many letters in a row both have: from the beginning, or anywhere beyond ASCII."""
    if word.isascii():
        return _common_prefix(word, other)
    return max(
        _common_prefix(word[start_index:], other[other_index:])
        for start_index in range(len(word))
        for other_index in range(len(other))
    )


def _common_prefix(word: str, other: str) -> int:
    letter_pairs = enumerate(zip(word, other, strict=False))
    return next((n for n, (a, b) in letter_pairs if a != b), min(len(word), len(other)))


@functools.lru_cache(maxsize=4_096)
def groups_of(word: str, rows: Rows, *, topics: bool = False) -> frozenset[tuple[str, int]]:
    """The groups of interchangeable words that a word belongs to."""
    return frozenset(
        (language.code, group_number)
        for language in rows
        for group_number, group_pattern in enumerate(_groups(language.code, rows, topics))
        if group_pattern.fullmatch(word)
    )


@functools.lru_cache(maxsize=256)
def _groups(code: str, rows: Rows, topics: bool) -> tuple[re.Pattern[str], ...]:
    language = next(language for language in rows if language.code == code)
    return tuple(
        compiled(group_words, spaced=language.spaced)
        for group_words in (language.topics if topics else language.same)
    )


@functools.lru_cache(maxsize=1_024)
def about(text: str, user: str | None, rows: Rows) -> tuple[str, ...]:
    """The words that say what a fact is about: not the user's name, nor how models put it."""
    user_names = frozenset(words(user or ""))
    return tuple(
        word
        for word in content_words(text, rows)
        if word not in user_names and not any(language.is_word("frame", word) for language in rows)
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
    other_words = tuple(text_words)
    text_groups = frozenset(
        sense_group
        for text_word in (*other_words, *small)
        for sense_group in groups_of(text_word, rows)
    )
    return [
        word
        for word in terms
        if not (groups_of(word, rows) & text_groups)
        and not any(is_form(word, other_word) for other_word in other_words)
    ]


def share(terms: tuple[str, ...], text_words: Iterable[str], rows: Rows) -> float:
    """The share of words that stand in another text; 1 of nothing."""
    return 1 - len(missing(terms, text_words, rows)) / len(terms) if terms else 1.0
