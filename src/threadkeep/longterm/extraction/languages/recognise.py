"""In which languages a sentence is: told by its script, and by the common words in it.

A sentence in a language without a row is known to be so, since whoever reads it with the words of
another would neither hear its hearsay nor its questions.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from threadkeep.longterm.extraction.languages.fold import fold, words
from threadkeep.longterm.extraction.languages.row import (
    CODES,
    ROLES,
    Language,
    compiled,
    language,
    uncovered,
)

_SCRIPTS: Final = {
    "Latin": re.compile("[a-z\u00df-\u024f\u1e00-\u1eff]"),
    "Cyrillic": re.compile("[\u0400-\u04ff]"),
    "Arabic": re.compile("[\u0600-\u06ff]"),
    "Devanagari": re.compile("[\u0900-\u097f]"),
    "Thai": re.compile("[\u0e00-\u0e7f]"),
    "Hangul": re.compile("[\u1100-\u11ff\uac00-\ud7af]"),
    "Kana": re.compile("[\u3040-\u30ff]"),
    "Han": re.compile("[\u3400-\u9fff\uf900-\ufaff]"),
}
_LETTER: Final = re.compile(r"[^\W\d_]")
_FOREIGN: Final = {
    "Cyrillic": re.compile(
        "[\u0456\u0457\u0454\u0491\u045e\u0458\u0452\u045b\u0459\u045a\u045f\u0453\u045c]"
    ),
    "Arabic": re.compile("[\u067e\u0686\u0698\u06af\u06a9\u06cc\u06ba\u06d2\u06c1\u0679\u0688]"),
}
"""Letters that the language with a row does not have."""

_BY_SCRIPT: Final = {
    "Latin": ("en", "de", "fr", "es", "pt"),
    "Cyrillic": ("ru",),
    "Arabic": ("ar",),
    "Devanagari": ("hi",),
    "Thai": ("th",),
    "Hangul": ("ko",),
    "Kana": ("ja",),
    "Han": ("zh",),
}
_VOTING: Final = tuple(
    role for role in ROLES if role not in ("header", "document", "calendar", "frame")
)


class Languages(NamedTuple):
    """What a text is written in.

    Attributes:
        rows: of the languages that are in it, the commonest first.
        covered: whether all of it has rows; `False` also where nobody can tell.
        unsure: whether it says too little to tell.
    """

    rows: tuple[Language, ...]
    covered: bool
    unsure: bool = False

    @property
    def codes(self) -> frozenset[str]:
        """The codes of the rows."""
        return frozenset(language_row.code for language_row in self.rows)


@functools.lru_cache(maxsize=1_024)
def recognise(text: str, around: str = "") -> Languages:
    """The languages of a sentence; where it says too little, those of what stands around it."""
    folded_text = fold(text)
    letter_counts = _scripts(folded_text)
    language_rows: list[Language] = []
    is_text_covered, is_language_known = True, False
    for script, letter_count in letter_counts.most_common():
        language_codes = _BY_SCRIPT.get(script, ())
        if not language_codes:
            is_text_covered = is_text_covered and letter_count < 2
        elif len(language_codes) == 1 or script == "Latin":
            script_rows, is_script_covered = (
                _latin(folded_text)
                if script == "Latin"
                else _of_one(script, folded_text, language_codes[0])
            )
            if script == "Latin" and language_rows and not script_rows:
                continue  # a name among letters of another script
            language_rows += script_rows
            is_text_covered, is_language_known = (
                is_text_covered and is_script_covered,
                is_language_known or bool(script_rows),
            )
    if not is_language_known and around and around != text:
        return recognise(around)
    is_unsure = (
        not is_language_known
        and not (_scripts(folded_text).keys() - {"Latin"})
        and not _is_strange(folded_text)
    )
    return Languages(tuple(language_rows), is_text_covered and is_language_known, is_unsure)


def _scripts(folded: str) -> Counter[str]:
    count_by_script = Counter(
        {
            script: len(letters)
            for script, pattern in _SCRIPTS.items()
            if (letters := pattern.findall(folded))
        }
    )
    if count_by_script["Kana"]:  # Han letters are Japanese beside Kana
        count_by_script["Kana"] += count_by_script.pop("Han", 0)
    other_count = len(_LETTER.findall(folded)) - sum(count_by_script.values())
    return +(count_by_script + Counter({"other": max(0, other_count)}))


def _of_one(script: str, folded: str, code: str) -> tuple[list[Language], bool]:
    """Of a script in which one language has a row."""
    foreign_letters = _FOREIGN.get(script)
    if foreign_letters is not None and foreign_letters.search(folded):
        return [], False
    text_words = frozenset(words(folded))
    language_words = frozenset(_votes(code, list(text_words)))
    uncovered_count = max(
        (
            len((text_words & common_words) - language_words)
            for common_words in uncovered().values()
        ),
        default=0,
    )
    return ([], False) if uncovered_count > len(language_words) else ([language(code)], True)


def _is_strange(folded: str) -> bool:
    """Whether it has common words of a language without a row."""
    text_words = frozenset(words(folded))
    return any(text_words & common_words for common_words in uncovered().values())


def _latin(folded: str) -> tuple[list[Language], bool]:
    text_words = words(folded)
    words_by_code = {code: _votes(code, text_words) for code in _BY_SCRIPT["Latin"]}
    best_code = max(words_by_code, key=lambda language_code: len(words_by_code[language_code]))
    uncovered_by_code: Mapping[str, frozenset[str]] = {
        language_code: frozenset(text_words) & common_words
        for language_code, common_words in uncovered().items()
    }
    strange_words = max(uncovered_by_code.values(), key=len, default=frozenset())
    if not words_by_code[best_code] or len(strange_words) > len(words_by_code[best_code]):
        return [], False
    language_rows = [language(best_code)]
    language_rows += [
        language(language_code)
        for language_code, language_words in words_by_code.items()
        if language_code != best_code and _adds(language_words, words_by_code[best_code])
    ]
    voted_words = frozenset().union(
        *(words_by_code[language_row.code] for language_row in language_rows)
    )
    return language_rows, len(strange_words - voted_words) < 2


def _adds(language_words: frozenset[str], best_words: frozenset[str]) -> bool:
    """Whether words are of a language of their own: as many as the best has, or two apart."""
    return len(language_words) == len(best_words) or len(language_words - best_words) >= 2


def _votes(code: str, tokens: list[str]) -> frozenset[str]:
    vocabulary_pattern = _vocabulary(code)
    return frozenset(token for token in tokens if vocabulary_pattern.fullmatch(token))


@functools.lru_cache(maxsize=16)
def _vocabulary(code: str) -> re.Pattern[str]:
    """The single words of a row, and the words of its phrases that are no common word elsewhere."""
    language_row = language(code)
    vocabulary = {word for role in _VOTING for word in language_row.words[role] if " " not in word}
    vocabulary |= {
        phrase_word
        for word_role in ("lasting", "polite", "first", "question")
        for phrase in language_row.words[word_role]
        for phrase_word in phrase.split()
        if phrase_word != ".."
    }
    vocabulary |= {word for group in language_row.same for word in group if word.isalpha()}
    return compiled([*sorted(vocabulary), *language_row.numbers], spaced=True)


def all_rows() -> tuple[Language, ...]:
    """Every row."""
    return tuple(language(code) for code in CODES)
