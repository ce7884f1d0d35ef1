"""From text to stems: what counts as a word, as a short question, as a date."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from threadkeep.longterm.recall import english, stemmer

LONG_QUESTION: Final = 18
"""Words from which on a question tells so much that it counts as a statement."""

_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_UNSPACED: Final = (  # Thai, Lao, Khmer, Myanmar; kana, Han, Hangul: words are not set apart
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
)
_RUNS: Final = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_ASCII: Final = re.compile(r"[a-z0-9]+(?:'(?:s|t|d|m|ll|re|ve)\b)?")
_SENTENCES: Final = re.compile(
    "(?<=[.!?\u3002\uff01\uff1f\u061f])\\s+|(?<=[\u3002\uff01\uff1f])|\n+"
)
_ASKING: Final = ("?", "\uff1f", "\u061f")
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip


def tokens(text: str) -> list[str]:
    """The words of a text in their order: case and accents folded, "Ada's" as "ada".

    Where words are not set apart by spaces, pairs of neighbouring letters stand for them.
    """
    folded = text.lower().replace("\u2019", "'") if text.isascii() else _fold(text)
    if folded.isascii():
        return [word.partition("'")[0] for word in _ASCII.findall(folded)]
    return [part for word in _word_pattern().findall(folded) for part in _split_runs(word)]


def stems(text: str) -> list[str]:
    """The stems of a text's words, in their order."""
    return list(map(stem, tokens(text)))


@functools.lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """What a word has in common with its other forms; only English ones are known."""
    if not word.isascii() or word.isdigit():
        return word
    return stemmer.stem(english.BASE.get(word, word))


def split(text: str) -> tuple[list[str], list[str]]:
    """The stems of what a text states, and of the short questions that it asks."""
    if not any(mark in text for mark in _ASKING):
        return stems(text), []
    statements: list[str] = []
    questions: list[str] = []
    for sentence in _SENTENCES.split(text):
        sentence_stems = stems(sentence)
        is_question = (
            sentence.rstrip("\"')” ").endswith(_ASKING) and len(sentence_stems) <= LONG_QUESTION
        )
        (questions if is_question else statements).extend(sentence_stems)
    return statements, questions


def query_stems(text: str) -> list[str]:
    """The stems to look for, each once; of nothing but stop words, all."""
    words = tokens(text)
    content_words = [word for word in words if word not in english.STOP]
    return list(dict.fromkeys(map(stem, content_words or words)))


def date_stems(moment: datetime) -> tuple[str, ...]:
    """What a day is called: its day, month and year."""
    return str(moment.day), _MONTH_STEMS[moment.month - 1], str(moment.year)


_MONTH_STEMS: Final = tuple(map(stem, _MONTHS))


def is_date_stem(stem_: str) -> bool:
    """Whether a stem may be part of a date."""
    return stem_.isdigit() or stem_ in _MONTH_STEMS


def _fold(text: str) -> str:
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return unicodedata.normalize("NFC", bare).replace("\u2019", "'")


@functools.cache
def _word_pattern() -> re.Pattern[str]:
    """Words of any script; the marks of vowels belong to them, which Python sees as no letters."""
    marks = (chr(n) for n in range(0x370, 0x1CFF) if unicodedata.category(chr(n))[0] == "M")
    letter = f"(?:[^\\W_]|[{''.join(marks)}])"
    return re.compile(f"{letter}+(?:'(?:s|t|d|m|ll|re|ve)\\b)?")


def _split_runs(word: str) -> Iterator[str]:
    word = word.partition("'")[0]
    for run in _RUNS.findall(word):
        if re.match(f"[{_UNSPACED}]", run):
            yield from [run[n : n + 2] for n in range(len(run) - 1)] or [run]
        else:
            yield run
