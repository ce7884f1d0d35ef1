"""Why a fact that stands in the messages is not believed yet: numbers, names, a "not", hearsay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from threadkeep.longterm.extraction.authorship import sentences
from threadkeep.longterm.extraction.batch import Batch, TranscriptLine
from threadkeep.longterm.extraction.content import (
    Rows,
    about,
    content_words,
    is_form,
    missing,
    share,
)
from threadkeep.longterm.extraction.languages import sense
from threadkeep.longterm.extraction.languages.fold import fold, words
from threadkeep.longterm.extraction.languages.numerals import readings, unsaid
from threadkeep.longterm.extraction.languages.row import common
from threadkeep.longterm.extraction.quotation import (
    Passage,
)
from threadkeep.types.knowledge import Reason

MIN_CITED: Final = 0.25
"""The share of a fact's content words that its cited messages must hold."""

_NAME: Final = re.compile(r"(?<=[^\W\d_][\s\-,])[A-Z\u00c0-\u00de\u0410-\u042f][\w'\u2019]+")
_CLAUSE: Final = re.compile(
    r"[,;:.!?\u3001\u3002\uff0c\u060c]|\s-+\s|\b(?:but|and|so|because|although|aber|und|weil|mais|et"
    r"|pero|y|porque|mas|e|\u043d\u043e|\u0430|\u0438)\b",
    re.IGNORECASE,
)
_YEAR: Final = re.compile(r"\b\d{4}\b")
_DATE: Final = re.compile(
    r"\b\d{4}-\d{1,2}(?:-\d{1,2})?\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b(?:19|20)\d\d\b"
)
_NUMBER: Final = re.compile(r"\d+")
_BESIDE: Final = 6
"""Letters between a number and the month it belongs to, at most."""


def find_doubt(
    text: str,
    lines: Sequence[TranscriptLine],
    batch: Batch,
    user: str | None,
    rows: Rows,
    user_text: str,
    passage: Passage | None,
) -> Reason | None:
    """Why it is not to be believed without somebody's approval, if it is not."""
    fact_words = about(text, user, rows)
    if passage is None or (
        fact_words and share(fact_words, content_words(user_text, rows), rows) < MIN_CITED
    ):
        return "not_own" if any(line.by_user for line in lines) else "assistant"
    if not _numbers_said(text, "\n".join(line.text for line in lines), lines, rows):
        return "number"
    if _unsaid_names(text, batch, user, rows):
        return "name"
    if not _same_polarity(text, fact_words, passage, user_text, rows):
        return "negation"
    if _is_reported(text, passage.text, rows):
        return "hearsay"
    return None


def _unsaid_names(text: str, batch: Batch, user: str | None, rows: Rows) -> list[str]:
    """Names that nobody said; not in languages that write every noun with a capital."""
    if any(language.code == "de" for language in rows):
        return []
    speaker_names = " ".join(line.item.name or "" for line in batch.lines)
    transcript = "\n".join(line.text for line in batch.lines)
    spoken_words = frozenset(words(f"{transcript} {speaker_names} {user or ''}"))
    fact_names = (fold(found_name).removesuffix("'s") for found_name in _NAME.findall(text))
    return [
        found_name
        for found_name in missing(fact_names, spoken_words, rows)
        if not any(
            language.is_word(word_role, found_name)
            for language in rows
            for word_role in ("calendar", "user")
        )
        and not any(is_form(found_name, spoken_word) for spoken_word in spoken_words)
    ]


def _same_polarity(
    text: str, fact_words: tuple[str, ...], passage: Passage, user_text: str, rows: Rows
) -> bool:
    """Whether the clauses that say most of it have a "not" where the fact has one."""
    if passage.verbatim:
        nearest_text = passage.text
    else:
        user_sentences = sentences(user_text)
        best_share = max(
            share(fact_words, content_words(sentence, rows), rows) for sentence in user_sentences
        )
        nearest_text = "\n".join(
            sentence
            for sentence in user_sentences
            if share(fact_words, content_words(sentence, rows), rows) == best_share
        )
    negation_languages = rows[:1]  # "no" is a "not" in one language and an "in the" in another
    is_negated = sense.is_negated(text, negation_languages)
    if not is_negated and not sense.is_negated(nearest_text, negation_languages):
        return True
    clauses = [clause for clause in _CLAUSE.split(nearest_text) if clause and clause.strip()]
    clause_shares = [share(fact_words, content_words(clause, rows), rows) for clause in clauses]
    return any(
        sense.is_negated(clause, negation_languages) == is_negated
        for clause, clause_share in zip(clauses, clause_shares, strict=True)
        if clause_share == max(clause_shares)
    )


def _is_reported(text: str, passage: str, rows: Rows) -> bool:
    """Whether it hands on somebody else's words without saying so, and not about the user."""
    if not sense.is_hearsay(passage, rows):
        return False
    if sense.is_hearsay(text, rows) or sense.has("others", text, rows):
        return False
    folded_passage = fold(passage)
    for language in rows:
        speech_places = [
            *language.places("speech", folded_passage),
            *language.places("hearsay", folded_passage),
        ]
        if (
            speech_places
            and language.spaced
            and language.finds(
                "first", folded_passage[max(place_end for _, place_end in speech_places) :]
            )
        ):
            return False
    return True


def _numbers_said(text: str, cited: str, lines: Iterable[TranscriptLine], rows: Rows) -> bool:
    """Whether every number was said, or is part of a date where one was spoken of."""
    unsaid_readings = unsaid(readings(text, rows), readings(cited, rows))
    if not unsaid_readings:
        return True
    message_years = {
        line.item.created_at.year for line in lines if line.item.created_at is not None
    }
    cited_has_dates = sense.has("calendar", cited, rows) or _YEAR.search(cited) is not None
    date_numbers = _numbers_of_dates(text, rows)
    return cited_has_dates and all(
        any(number in date_numbers and _is_date_part(number, message_years) for number in reading)
        for reading in unsaid_readings
    )


def _numbers_of_dates(text: str, rows: Rows) -> frozenset[float]:
    """The numbers that stand in a date, or beside the name of a month."""
    folded_text = fold(text)
    unit_words = common("units")
    text_lists = [_DATE.findall(folded_text)]
    for language in rows:
        for word_start, word_end in language.places("calendar", folded_text):
            if folded_text[word_start:word_end] not in unit_words:
                text_lists.append(
                    _NUMBER.findall(folded_text[max(0, word_start - _BESIDE) : word_end + _BESIDE])
                )
    return frozenset(
        float(digits)
        for date_texts in text_lists
        for date_text in date_texts
        for digits in re.findall(r"\d+", date_text)
    )


def _is_date_part(value: float, years: Iterable[int]) -> bool:
    if value != int(value):
        return False
    return 1 <= value <= 31 or any(abs(value - year) <= 2 for year in years)
