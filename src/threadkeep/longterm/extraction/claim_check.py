"""Whether what a model made of a conversation was said in it, by whom, and in which words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from threadkeep.longterm.extraction.authorship import sentences
from threadkeep.longterm.extraction.batch import Batch, TranscriptLine
from threadkeep.longterm.extraction.claim_doubts import MIN_CITED, find_doubt
from threadkeep.longterm.extraction.content import (
    Rows,
    about,
    content_words,
    missing,
    share,
)
from threadkeep.longterm.extraction.languages import sense
from threadkeep.longterm.extraction.languages.fold import words
from threadkeep.longterm.extraction.languages.numerals import readings, unsaid
from threadkeep.longterm.extraction.languages.recognise import Languages, recognise
from threadkeep.longterm.extraction.quotation import (
    Passage,
    cited_sources,
    find_passage,
    spoken_by_user,
)
from threadkeep.longterm.extraction.text_features import addresses
from threadkeep.types.knowledge import Reason
from threadkeep.types.states import Status

__all__ = [
    "Verdict",
    "about",
    "cited_sources",
    "grounded_status",
    "is_directive",
    "judge",
    "strip_commands",
]

MIN_BATCH: Final = 0.5
"""The share that the whole batch must hold."""

_SHORT: Final = 2
"""Words of a fact of which more than half must be said: one of two is chance."""

MARGIN: Final = 0.1
"""By how much another message of the same speaker may hold more of it than the cited ones."""


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
    user_statements = spoken_by_user(lines, batch)
    cited_text = "\n".join(line.text for line in lines)
    fact_languages = recognise(text, cited_text)
    languages = tuple(dict.fromkeys((*fact_languages.rows, *recognise(cited_text).rows)))
    passage = find_passage(text, quote, user_statements, languages)
    if passage is not None:
        passage_languages = recognise(passage.text, cited_text)
        if (passage_languages.unsure and fact_languages.rows) or _shares_words(text, passage.text):
            passage_languages = fact_languages
        if not passage_languages.codes & fact_languages.codes or not passage_languages.rows:
            return _in_other_words(text, passage, passage_languages, fact_languages)
    elif not fact_languages.codes & recognise(cited_text).codes and not _shares_words(
        text, cited_text
    ):
        return Verdict(None, "language", text)
    verdict_reason = _not_said(text, lines, batch, user, languages, cited_text)
    if verdict_reason is not None:
        return Verdict(None, verdict_reason, text, passage=passage)
    user_text = "\n".join(statement.text for statement in user_statements)
    verdict_reason = find_doubt(text, lines, batch, user, languages, user_text, passage)
    return Verdict(
        "quarantined" if verdict_reason else "active", verdict_reason, text, passage=passage
    )


def _in_other_words(
    text: str, passage: Passage, passage_languages: Languages, fact_languages: Languages
) -> Verdict:
    """A sentence in another language than the user's words: the words are kept, if they are cited.

    Without a row for the user's language nobody can tell what they report; they are told as what
    the user said, and as nothing more.
    """
    are_both_unknown = not passage_languages.rows and not fact_languages.rows
    if not passage.verbatim and not are_both_unknown:
        return Verdict(None, "language", text, passage=passage)
    quote = passage.quote if passage.verbatim else passage.text
    if not _says_something(quote):
        return Verdict(None, "not_said", text, passage=passage)
    quarantine_reason: Reason | None = None
    if sense.is_order(quote, passage_languages.rows) or sense.is_order(text, fact_languages.rows):
        quarantine_reason = "order"
    elif sense.is_hearsay(passage.text, passage_languages.rows):
        quarantine_reason = "hearsay"
    elif unsaid(
        readings(text, fact_languages.rows),
        readings(passage.text, (*passage_languages.rows, *fact_languages.rows)),
    ):
        quarantine_reason = "number"
    return Verdict(
        "quarantined" if quarantine_reason else "active", quarantine_reason, quote, text, passage
    )


def _shares_words(text: str, around: str) -> bool:
    """Whether half of the words are the same, letter for letter: then the language is."""
    text_words = words(text)
    return len(text_words) > 1 and 2 * len(frozenset(text_words) & frozenset(words(around))) >= len(
        text_words
    )


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
    summary_languages = recognise(summary).rows
    remaining_sentences = [
        sentence
        for sentence in all_sentences
        if not sense.is_order(
            sentence, tuple(dict.fromkeys((*recognise(sentence).rows, *summary_languages)))
        )
    ]
    is_unchanged = len(remaining_sentences) == len(all_sentences)
    return summary if is_unchanged else " ".join(remaining_sentences)


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
    return not any(language.spaced for language in rows[:1])


def _better_elsewhere(
    fact_words: tuple[str, ...],
    cited_share: float,
    lines: Sequence[TranscriptLine],
    batch: Batch,
    rows: Rows,
) -> bool:
    """Whether another message of the same speakers says it better than the cited ones."""
    cited_numbers, cited_by_user = {line.number for line in lines}, {line.by_user for line in lines}
    other_lines = (
        line
        for line in batch.lines
        if line.number not in cited_numbers and line.by_user in cited_by_user
    )
    return any(
        share(fact_words, content_words(line.text, rows), rows) > cited_share + MARGIN
        for line in other_lines
    )
