"""What a sentence is, by the words of its languages: a wish, hearsay, a question, an order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from threadkeep.longterm.extraction.languages.fold import fold
from threadkeep.longterm.extraction.languages.row import Language

Rows = tuple[Language, ...]

_ASKING: Final = re.compile(r"[?\uff1f\u061f]\W*$")
_PARTS: Final = re.compile(r"[:\uff1a;\uff1b\u3002\n]|[.!?]\s|\s[-\u2013\u2014]\s")
_EDGE: Final = re.compile(r"^\W+")
_THAT: Final = re.compile(r"\s*,?\s*(?:that|dass|que|qu'|\u0447\u0442\u043e)(?!\w)")
_NEAR: Final = 24
_CANCELLING: Final = ("en", "de")
"""Languages in which two negations make none; in the others they are one: "no ... nunca"."""

_SUBJECT_FIRST: Final = ("zh", "th", "hi", "ja", "ko")
"""Languages in which who says something stands before that it is said."""

_MY_LENGTH: Final = 45
"""Letters between "my" and "says", at most: "my dentist says"."""


def has(role: str, text: str, rows: Rows) -> bool:
    """Whether words of a role stand in a text, in any of its languages."""
    folded_text = fold(text)
    return any(language.finds(role, folded_text) for language in rows)


def begins_with(role: str, text: str, rows: Rows) -> bool:
    """Whether a text begins with words of a role."""
    folded_text = _EDGE.sub("", fold(text))
    return any(language.begins(role, folded_text) for language in rows)


def is_negated(text: str, rows: Rows) -> bool:
    """Whether a text says that something is not, or is not to be."""
    folded_text = fold(text)
    negation_spans = {
        span for language in rows for span in language.places("negation", folded_text)
    }
    if all(language.code in _CANCELLING for language in rows):
        return len(negation_spans) % 2 == 1
    return bool(negation_spans)


def is_hearsay(text: str, rows: Rows) -> bool:
    """Whether a text hands on what somebody else said or wants."""
    folded_text = fold(text)
    for language in rows:
        folded_text = language.without("own_speech", folded_text)
    if any(language.finds("hearsay", folded_text) for language in rows):
        return True
    hearsay_checks = (_others_speak, _mine_speaks, _somebody_says_that)
    if any(check(folded_text, language) for language in rows for check in hearsay_checks):
        return True
    return any(
        speaker_language is not speech_language
        and speaker_language.finds("others", folded_text)
        and speech_language.finds("speech", folded_text)
        for speaker_language in rows
        for speech_language in rows
    )


def _others_speak(folded: str, row: Language) -> bool:
    """Whether somebody or something is named, and that it speaks."""
    speaker_spans, speech_spans = row.places("others", folded), row.places("speech", folded)
    if not speaker_spans or not speech_spans:
        return False
    return row.code not in _SUBJECT_FIRST or speaker_spans[0][0] < speech_spans[-1][0]


def _somebody_says_that(folded: str, row: Language) -> bool:
    """Whether a verb of speech has a subject before it, whoever that is, and "that" behind it."""
    return any(
        _THAT.match(folded[verb_end:])
        and re.search(r"\w", row.without("polite", folded[:verb_start]))
        for verb_start, verb_end in row.places("speech", folded)
    )


def _mine_speaks(folded: str, row: Language) -> bool:
    """Whether somebody of the user's speaks, whoever it is: "my dentist says"."""
    if not row.spaced:
        return False
    first_person_ends = [first_person_end for _, first_person_end in row.places("first", folded)]
    return any(
        0 < speech_start - first_person_end <= _MY_LENGTH
        for speech_start, _ in row.places("speech", folded)
        for first_person_end in first_person_ends
    )


def is_question(text: str, rows: Rows) -> bool:
    """Whether it is a question, and none that asks to do something."""
    folded_text = fold(text)
    is_asking = _ASKING.search(folded_text) is not None or any(
        _asks(folded_text, language) for language in rows
    )
    return is_asking and not any(language.finds("polite", folded_text) for language in rows)


def _asks(folded: str, row: Language) -> bool:
    if row.spaced:
        return row.begins("question", _EDGE.sub("", folded)) is not None
    text_end = len(re.sub(r"\W+$", "", folded))
    return any(question_span[1] >= text_end for question_span in row.places("question", folded))


def is_order(text: str, rows: Rows) -> bool:
    """Whether what poses as a statement tells the assistant what to do."""
    folded_text = fold(text)
    return any(_is_order(folded_text, language) for language in rows)


def _is_order(folded: str, row: Language) -> bool:
    if row.finds("override", folded):
        return True
    for assistant_span in row.places("assistant", folded):
        text_without_assistant = row.without("assistant", folded)
        if not _is_indefinite(folded[: assistant_span[0]], row) and (
            row.finds("must", text_without_assistant) or row.finds("ask", text_without_assistant)
        ):
            return True
    clauses_without_politeness = (row.without("polite", clause) for clause in _PARTS.split(folded))
    clauses = (_EDGE.sub("", clause) for clause in clauses_without_politeness)
    return any(
        row.begins("command", clause) or row.begins("lasting", clause)
        for clause in clauses
        if clause
    )


def _is_indefinite(before: str, row: Language) -> bool:
    """Whether what stands before a noun makes it none that is here: "an assistant"."""
    nearest_letters = before[-_NEAR:].rstrip()
    return any(end == len(nearest_letters) for _, end in row.places("indefinite", nearest_letters))


def is_affirmation(text: str, rows: Iterable[Language]) -> bool:
    """Whether a text begins by agreeing."""
    folded_text = _EDGE.sub("", fold(text))
    return any(language.begins("yes", folded_text) for language in rows)
