"""Whether two texts say the same, and whether they are about the same: what merging rests on.

Order and small words count: who owes whom, on or off, is or was. A shared name relates nothing.
"""

from __future__ import annotations

import re
from typing import Final

from threadkeep.longterm.extraction.content import Rows, content_words, groups_of, is_form
from threadkeep.longterm.extraction.languages.fold import fold, words
from threadkeep.longterm.extraction.languages.recognise import recognise
from threadkeep.longterm.extraction.languages.row import common
from threadkeep.longterm.extraction.text_features import addresses

_NAME: Final = re.compile(r"\b[A-Z\u00c0-\u00de\u0410-\u042f][\w'\u2019]+")
_MARKS: Final = re.compile(r"[^\w%$\u20ac\u00a3@.:/+-]+|[.:](?!\d)")


def same_form(text: str, other: str) -> bool:
    """Whether nothing but the form differs: case, spaces, punctuation, articles."""
    return _signature(text) == _signature(other)


def same_sense(text: str, other: str, user: str | None) -> bool:
    """Whether two texts have the same words, and their names in the same order."""
    return (
        _words_of_sense(text) == _words_of_sense(other)
        and _names(text, other, user) == _names(other, text, user)
        and addresses(text) == addresses(other)
    )


def same_subject(text: str, other: str, user: str | None) -> bool:
    """Whether two texts are about the same: by a word or topic of both, never by a name."""
    language_rows = tuple(dict.fromkeys((*recognise(text).rows, *recognise(other).rows)))
    text_subjects, other_subjects = (
        _subjects(side_text, user, language_rows) for side_text in (text, other)
    )
    other_topics = {
        topic for word in other_subjects for topic in groups_of(word, language_rows, topics=True)
    }
    return any(
        groups_of(word, language_rows, topics=True) & other_topics
        or (
            not _is_frame(word, language_rows)
            and any(is_form(word, other_subject) for other_subject in other_subjects)
        )
        for word in text_subjects
    )


def _signature(text: str) -> tuple[str, ...]:
    signature_words = (word.strip("'-") for word in _MARKS.sub(" ", fold(text)).split())
    return tuple(
        signature_word
        for signature_word in signature_words
        if signature_word and signature_word not in common("articles")
    )


def _words_of_sense(text: str) -> frozenset[str]:
    """The words, without those that may be added or left out."""
    return frozenset(_signature(text)) - common("fillers")


def _names(text: str, other: str, user: str | None) -> list[str]:
    """The names of a text, in order; its first word if that is a name in the other, or the user."""
    other_names = {
        fold(name_match[0]).removesuffix("'s")
        for name_match in _NAME.finditer(other)
        if name_match.start()
    }
    certain_names = other_names | set(words(user or ""))
    return [
        name
        for name_match in _NAME.finditer(text)
        if (name := fold(name_match[0]).removesuffix("'s"))
        and (name_match.start() or name in certain_names)
    ]


def _subjects(text: str, user: str | None, rows: Rows) -> list[str]:
    excluded_words = frozenset(words(user or ""))
    if not any(language.code == "de" for language in rows):  # every noun has a capital there
        first_word = (words(text) or [""])[0].removesuffix("'s")
        names = {fold(name).removesuffix("'s") for name in _NAME.findall(text)} - {first_word}
        excluded_words |= names | ({first_word} if _is_name(text, first_word, rows) else set())
    return [word for word in content_words(text, rows) if word not in excluded_words]


def _is_name(text: str, first: str, rows: Rows) -> bool:
    """Whether the word that begins a sentence is a name: none that any row knows."""
    word_groups = groups_of(first, rows, topics=True) or groups_of(first, rows)
    return text[:1].isupper() and not word_groups


def _is_frame(word: str, rows: Rows) -> bool:
    return any(language.is_word("frame", word) for language in rows)
