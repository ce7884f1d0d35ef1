"""Whether what a model made of a conversation was said in it, by whom, and in which words."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from threadkeep.longterm.extraction.authorship import sentences
from threadkeep.longterm.extraction.batch import Batch, TranscriptLine
from threadkeep.longterm.extraction.content import Rows, content_words, is_form, missing, share
from threadkeep.longterm.extraction.languages import sense
from threadkeep.longterm.extraction.languages.fold import fold, words
from threadkeep.longterm.extraction.languages.numerals import readings, unsaid
from threadkeep.longterm.extraction.languages.recognise import Languages, recognise
from threadkeep.longterm.extraction.languages.row import common
from threadkeep.longterm.extraction.quotation import (
    Passage,
    cited_sources,
    find_passage,
    spoken_by_user,
)
from threadkeep.longterm.extraction.text_features import addresses
from threadkeep.types.knowledge import Reason, Status

__all__ = [
    "Verdict",
    "about",
    "cited_sources",
    "grounded_status",
    "is_directive",
    "judge",
    "strip_commands",
]

MIN_CITED: Final = 0.25
"""The share of a fact's content words that its cited messages must hold."""

MIN_BATCH: Final = 0.5
"""The share that the whole batch must hold."""

_SHORT: Final = 2
"""Words of a fact of which more than half must be said: one of two is chance."""

MARGIN: Final = 0.1
"""By how much another message of the same speaker may hold more of it than the cited ones."""

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


class Verdict(NamedTuple):
    """What a proposed fact is worth.

    Attributes:
        status: `None` = it is not to be kept.
        reason: why it is not active.
        text: what is to be stored: the sentence, or the user's own words.
        gloss: the sentence, where the user's own words are stored.
        passage: the words that say it, if any of the user's do.
    """

    status: Status | None
    reason: Reason | None
    text: str
    gloss: str = ""
    passage: Passage | None = None


def judge(
    text: str, lines: Sequence[TranscriptLine], batch: Batch, user: str | None, quote: str = ""
) -> Verdict:
    """What a fact is worth that is said to stand in some messages.

    It is active if the user said it in their own words, or agreed to it. What stands in the
    assistant's words, or in what the user pasted, waits in quarantine, and so does what has a
    number, a name or a "not" that nobody said.
    """
    spoken = spoken_by_user(lines, batch)
    around = "\n".join(line.text for line in lines)
    fact_languages = recognise(text, around)
    rows = tuple(dict.fromkeys((*fact_languages.rows, *recognise(around).rows)))
    passage = find_passage(text, quote, spoken, rows)
    if passage is not None:
        passage_languages = recognise(passage.text, around)
        if (passage_languages.unsure and fact_languages.rows) or _shares_words(text, passage.text):
            passage_languages = fact_languages
        if not passage_languages.codes & fact_languages.codes or not passage_languages.rows:
            return _in_other_words(text, passage, passage_languages, fact_languages)
    elif not fact_languages.codes & recognise(around).codes and not _shares_words(text, around):
        return Verdict(None, "language", text)
    reason = _not_said(text, lines, batch, user, rows, around)
    if reason is not None:
        return Verdict(None, reason, text, passage=passage)
    user_text = "\n".join(entry.text for entry in spoken)
    reason = _doubt(text, lines, batch, user, rows, user_text, passage)
    return Verdict("quarantined" if reason else "active", reason, text, passage=passage)


def _in_other_words(
    text: str, passage: Passage, passage_languages: Languages, fact_languages: Languages
) -> Verdict:
    """A sentence in another language than the user's words: the words are kept, if they are cited.

    Without a row for the user's language nobody can tell what they report; they are told as what
    the user said, and as nothing more.
    """
    same_unknown = not passage_languages.rows and not fact_languages.rows
    if not passage.verbatim and not same_unknown:
        return Verdict(None, "language", text, passage=passage)
    quote = passage.quote if passage.verbatim else passage.text
    if not _says_something(quote):
        return Verdict(None, "not_said", text, passage=passage)
    reason: Reason | None = None
    if sense.is_order(quote, passage_languages.rows) or sense.is_order(text, fact_languages.rows):
        reason = "order"
    elif sense.is_hearsay(passage.text, passage_languages.rows):
        reason = "hearsay"
    elif unsaid(
        readings(text, fact_languages.rows),
        readings(passage.text, (*passage_languages.rows, *fact_languages.rows)),
    ):
        reason = "number"
    return Verdict("quarantined" if reason else "active", reason, quote, text, passage)


def _shares_words(text: str, around: str) -> bool:
    """Whether half of the words are the same, letter for letter: then the language is."""
    terms = words(text)
    return len(terms) > 1 and 2 * len(frozenset(terms) & frozenset(words(around))) >= len(terms)


def _says_something(quote: str) -> bool:
    """Whether a quotation is more than a yes, a thank you or a name."""
    letters = re.findall(r"[^\W\d_]", quote)
    return len(letters) >= 4 and (len(words(quote)) > 1 or not quote.isascii())


def grounded_status(
    text: str, lines: Sequence[TranscriptLine], batch: Batch, user: str | None, quote: str = ""
) -> Status | None:
    """The status alone."""
    return judge(text, lines, batch, user, quote).status


def is_directive(text: str, rows: Rows | None = None) -> bool:
    """Whether what poses as a fact tells the assistant what to do."""
    return sense.is_order(text, recognise(text).rows if rows is None else rows)


def strip_commands(summary: str) -> str:
    """A summary without the sentences that tell the assistant what to do."""
    all_sentences = sentences(summary)
    rows = recognise(summary).rows
    remaining = [
        sentence
        for sentence in all_sentences
        if not sense.is_order(sentence, tuple(dict.fromkeys((*recognise(sentence).rows, *rows))))
    ]
    return summary if len(remaining) == len(all_sentences) else " ".join(remaining)


def _not_said(
    text: str,
    lines: Sequence[TranscriptLine],
    batch: Batch,
    user: str | None,
    rows: Rows,
    around: str,
) -> Reason | None:
    """Why it does not stand in the cited messages at all, if it does not."""
    if not addresses(text) <= addresses(around):
        return "address"
    fact_words = about(text, user, rows)
    if not fact_words:
        return None if readings(text, rows) else "not_said"
    cited_share = _said_share(fact_words, around, rows)
    batch_share = _said_share(fact_words, "\n".join(line.text for line in batch.lines), rows)
    is_short = len(fact_words) <= _SHORT and not _is_unspaced(rows)
    is_half = batch_share > MIN_BATCH if is_short else batch_share >= MIN_BATCH
    if cited_share < MIN_CITED or not is_half:
        return "not_said"
    return "not_said" if _better_elsewhere(fact_words, cited_share, lines, batch, rows) else None


def _said_share(fact_words: tuple[str, ...], text: str, rows: Rows) -> float:
    """The share of words that stand in a text, or for which another word of it stands."""
    missing_words = missing(fact_words, content_words(text, rows), rows, words(text))
    return 1 - len(missing_words) / len(fact_words)


def _is_unspaced(rows: Rows) -> bool:
    """Whether words are pairs of letters, of which some stand across the ends of words."""
    return not any(row.spaced for row in rows[:1])


def _better_elsewhere(
    fact_words: tuple[str, ...],
    cited_share: float,
    lines: Sequence[TranscriptLine],
    batch: Batch,
    rows: Rows,
) -> bool:
    """Whether another message of the same speakers says it better than the cited ones."""
    numbers, by_user = {line.number for line in lines}, {line.by_user for line in lines}
    others = (
        line for line in batch.lines if line.number not in numbers and line.by_user in by_user
    )
    return any(
        share(fact_words, content_words(line.text, rows), rows) > cited_share + MARGIN
        for line in others
    )


def _doubt(
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


@functools.lru_cache(maxsize=1_024)
def about(text: str, user: str | None, rows: Rows) -> tuple[str, ...]:
    """The words that say what a fact is about: not the user's name, nor how models put it."""
    names = frozenset(words(user or ""))
    return tuple(
        word
        for word in content_words(text, rows)
        if word not in names and not any(row.is_word("frame", word) for row in rows)
    )


def _unsaid_names(text: str, batch: Batch, user: str | None, rows: Rows) -> list[str]:
    """Names that nobody said; not in languages that write every noun with a capital."""
    if any(row.code == "de" for row in rows):
        return []
    speakers = " ".join(line.item.name or "" for line in batch.lines)
    transcript = "\n".join(line.text for line in batch.lines)
    spoken_words = frozenset(words(f"{transcript} {speakers} {user or ''}"))
    names = (fold(name).removesuffix("'s") for name in _NAME.findall(text))
    return [
        name
        for name in missing(names, spoken_words, rows)
        if not any(row.is_word(role, name) for row in rows for role in ("calendar", "user"))
        and not any(is_form(name, other) for other in spoken_words)
    ]


def _same_polarity(
    text: str, fact_words: tuple[str, ...], passage: Passage, user_text: str, rows: Rows
) -> bool:
    """Whether the clauses that say most of it have a "not" where the fact has one."""
    if passage.verbatim:
        near = passage.text
    else:
        candidates = sentences(user_text)
        best = max(share(fact_words, content_words(s, rows), rows) for s in candidates)
        near = "\n".join(
            s for s in candidates if share(fact_words, content_words(s, rows), rows) == best
        )
    rows_of_no = rows[:1]  # "no" is a "not" in one language and an "in the" in another
    is_negated = sense.is_negated(text, rows_of_no)
    if not is_negated and not sense.is_negated(near, rows_of_no):
        return True
    clauses = [clause for clause in _CLAUSE.split(near) if clause and clause.strip()]
    shares = [share(fact_words, content_words(clause, rows), rows) for clause in clauses]
    return any(
        sense.is_negated(clause, rows_of_no) == is_negated
        for clause, part in zip(clauses, shares, strict=True)
        if part == max(shares)
    )


def _is_reported(text: str, passage: str, rows: Rows) -> bool:
    """Whether it hands on somebody else's words without saying so, and not about the user."""
    if not sense.is_hearsay(passage, rows):
        return False
    if sense.is_hearsay(text, rows) or sense.has("others", text, rows):
        return False
    folded = fold(passage)
    for row in rows:
        places = [*row.places("speech", folded), *row.places("hearsay", folded)]
        if places and row.spaced and row.finds("first", folded[max(e for _, e in places) :]):
            return False
    return True


def _numbers_said(text: str, cited: str, lines: Iterable[TranscriptLine], rows: Rows) -> bool:
    """Whether every number was said, or is part of a date where one was spoken of."""
    unsaid_numbers = unsaid(readings(text, rows), readings(cited, rows))
    if not unsaid_numbers:
        return True
    years = {line.item.created_at.year for line in lines if line.item.created_at is not None}
    speaks_of_dates = sense.has("calendar", cited, rows) or _YEAR.search(cited) is not None
    dates = _numbers_of_dates(text, rows)
    return speaks_of_dates and all(
        any(value in dates and _is_date_part(value, years) for value in reading)
        for reading in unsaid_numbers
    )


def _numbers_of_dates(text: str, rows: Rows) -> frozenset[float]:
    """The numbers that stand in a date, or beside the name of a month."""
    folded = fold(text)
    units = common("units")
    near = [_DATE.findall(folded)]
    for row in rows:
        for start, end in row.places("calendar", folded):
            if folded[start:end] not in units:
                near.append(_NUMBER.findall(folded[max(0, start - _BESIDE) : end + _BESIDE]))
    return frozenset(
        float(part) for dates in near for date in dates for part in re.findall(r"\d+", date)
    )


def _is_date_part(value: float, years: Iterable[int]) -> bool:
    if value != int(value):
        return False
    return 1 <= value <= 31 or any(abs(value - year) <= 2 for year in years)
