"""From text to words and their stems: what counts as a word, as a short question, as a date.

A word has one or several readings, which are stems: "lives" is a form of life and of live. Where
words are not set apart by spaces, pairs of neighbouring letters stand for them.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Final

from threadkeep.longterm.recall import (
    english,
    fold,
    kana,
    script_stems,
    stemmer,
    stop_words,
)

Word = tuple[str, ...]
"""The readings of a word, the likeliest first."""

LONG_QUESTION: Final = 18
"""Words from which on a question tells so much that it counts as a statement."""

_LETTERS_ALONE: Final = "\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
"""Han and Hangul, of which one letter may be a word."""
_UNSPACED: Final = (  # Thai, Lao, Khmer, Myanmar; kana: words are not set apart
    f"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff{_LETTERS_ALONE}"
)
_RUNS: Final = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_IS_UNSPACED: Final = re.compile(f"[{_UNSPACED}]")
_IS_WORD_ALONE: Final = re.compile(f"[{_LETTERS_ALONE}]")
_CLITIC: Final = r"(?:'(?:s|t|d|m|ll|re|ve)\b)?"
_ASCII: Final = re.compile(f"[a-z0-9]+{_CLITIC}")
_EMOJI: Final = (
    "[\U0001f1e6-\U0001f1ff]{2}"
    "|[\u203c\u2049\u231a-\u23ff\u2600-\u27bf\u2b05-\u2b55\U0001f000-\U0001faff]"
)
_HYPHENS: Final = "-\u2010\u2011"
_SENTENCES: Final = re.compile(
    "(?<=[.!?\u3002\uff01\uff1f\u061f\u0964])\\s+|(?<=[\u3002\uff01\uff1f])|\n+"
)
_ASKING: Final = ("?", "\uff1f", "\u061f")
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip


def tokens(text: str) -> list[str]:
    """The words of a text in their order, folded to one spelling, "Ada's" as "ada".

    Where words are not set apart by spaces, pairs of neighbouring letters stand for them.
    """
    folded_text = fold.fold(text)
    if folded_text.isascii():
        return [word.partition("'")[0] for word in _ASCII.findall(folded_text)]
    return [token for token, _ in _tokens(folded_text)]


def words(text: str, *, letters: bool = True) -> list[Word]:
    """The words of a text in their order, with all their readings.

    Args:
        text: of any script.
        letters: beside pairs of Han or Hangul letters, their single letters: as it is indexed.
    """
    if text.isascii() and "-" not in text:
        return list(map(readings, tokens(text)))
    parsed_words = [
        readings(token) + tuple(form for form in unstemmed_forms if letters or len(form) > 1)
        for token, unstemmed_forms in _tokens(fold.fold(text))
    ]
    umlaut_text = fold.fold_umlauts(text)
    if umlaut_text is None:
        return parsed_words
    umlaut_words = [readings(token) for token, _ in _tokens(umlaut_text)]
    word_pairs = zip(parsed_words, umlaut_words, strict=True)
    return [
        word if word[:1] == umlaut_word[:1] else word + umlaut_word
        for word, umlaut_word in word_pairs
    ]


def stems(text: str) -> list[str]:
    """All readings of a text's words, in their order."""
    return list(chain.from_iterable(words(text)))


@functools.lru_cache(maxsize=65_536)
def readings(token: str) -> Word:
    """What a word has in common with its other forms: one stem, or one for each word it may be."""
    if not token[0].isascii() and not unicodedata.name(token[0], "").startswith("LATIN"):
        return script_stems.readings(token)
    if token.isdigit():
        return (token,)
    likeliest_stem = stemmer.stem(english.BASE.get(token, token))
    other_base_form = english.OTHER.get(token)
    return (
        (likeliest_stem,)
        if other_base_form is None
        else tuple(dict.fromkeys((likeliest_stem, stemmer.stem(other_base_form))))
    )


def stem(token: str) -> str:
    """The likeliest reading of a word."""
    return readings(token)[0]


def split(text: str) -> tuple[list[Word], list[Word]]:
    """The words that a text states, and those of the short questions that it asks."""
    if not any(question_mark in text for question_mark in _ASKING):
        return words(text), []
    words_in_statements: list[Word] = []
    words_in_questions: list[Word] = []
    for sentence_text in _SENTENCES.split(text):
        sentence_words = words(sentence_text)
        is_question = (
            sentence_text.rstrip("\"')\u201d\u300d ").endswith(_ASKING)
            and len(sentence_words) <= LONG_QUESTION
        )
        (words_in_questions if is_question else words_in_statements).extend(sentence_words)
    return words_in_statements, words_in_questions


def query_words(text: str) -> dict[Word, str]:
    """The words to look for, and how each is written; of nothing but stop words, all."""
    content_token_by_word: dict[Word, str] = {}
    token_by_word: dict[Word, str] = {}
    text_tokens = tokens(text)
    stop_tokens = stop_words.stop_words(text_tokens)
    for word_index, word in enumerate(words(text, letters=False)):
        token, letter = text_tokens[word_index], kana.single_letter(text_tokens, word_index)
        token_by_word.setdefault(word, token)
        if token in stop_tokens:  # the last part of "check-in" is a word as "checkin" only
            word = tuple(form for form in word[1:] if form not in stop_tokens)
        elif letter is not None:
            word = (letter,) if letter else ()
        if word:
            content_token_by_word.setdefault(word, token)
    return content_token_by_word or token_by_word


def date_stems(moment: datetime) -> tuple[str, ...]:
    """What a day is called: its day, month and year."""
    return str(moment.day), _MONTH_STEMS[moment.month - 1], str(moment.year)


_MONTH_STEMS: Final = tuple(map(stem, _MONTHS))


def is_date_stem(stem_: str) -> bool:
    """Whether a stem may be part of a date."""
    return stem_.isdigit() or stem_ in _MONTH_STEMS


@functools.cache
def _word_pattern() -> re.Pattern[str]:
    """Words of any script; the marks of vowels belong to them, which Python sees as no letters."""
    vowel_marks = (
        chr(code_point)
        for code_point in range(0x370, 0x1CFF)
        if unicodedata.category(chr(code_point))[0] == "M"
    )
    letter_pattern = f"(?:[^\\W_]|[{''.join(vowel_marks)}])"
    return re.compile(f"{letter_pattern}+{_CLITIC}|{_EMOJI}")


def _tokens(folded: str) -> Iterator[tuple[str, Word]]:
    """The words of a folded text, each with other forms of it that are not stemmed.

    These are the single letters of a pair, and the whole of what a hyphen joins.
    """
    previous_end, previous_word = -1, ""
    for word_match in _word_pattern().finditer(folded):
        word = word_match[0].partition("'")[0]
        is_hyphenated = word_match.start() == previous_end + 1 and folded[previous_end] in _HYPHENS
        compound_stems = (stem(previous_word + word),) if is_hyphenated and previous_word else ()
        previous_end, previous_word = word_match.end(), word
        for script_run in _RUNS.findall(word):
            if _IS_UNSPACED.match(script_run):
                yield from _pairs(script_run)
            else:
                yield script_run, compound_stems


def _pairs(run: str) -> Iterator[tuple[str, Word]]:
    last_pair_start = len(run) - 2
    for pair_start in range(max(last_pair_start + 1, 1)):
        single_letters = run[pair_start] if pair_start < last_pair_start else run[pair_start:]
        yield (
            run[pair_start : pair_start + 2],
            tuple(filter(_IS_WORD_ALONE.match, single_letters)) if last_pair_start >= 0 else (),
        )
