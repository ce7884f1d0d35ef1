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
    folded = fold(text)
    return any(row.finds(role, folded) for row in rows)


def begins_with(role: str, text: str, rows: Rows) -> bool:
    """Whether a text begins with words of a role."""
    folded = _EDGE.sub("", fold(text))
    return any(row.begins(role, folded) for row in rows)


def is_negated(text: str, rows: Rows) -> bool:
    """Whether a text says that something is not, or is not to be."""
    folded = fold(text)
    places = {place for row in rows for place in row.places("negation", folded)}
    if all(row.code in _CANCELLING for row in rows):
        return len(places) % 2 == 1
    return bool(places)


def is_hearsay(text: str, rows: Rows) -> bool:
    """Whether a text hands on what somebody else said or wants."""
    folded = fold(text)
    for row in rows:
        folded = row.without("own_speech", folded)
    if any(row.finds("hearsay", folded) for row in rows):
        return True
    hears = (_others_speak, _mine_speaks, _somebody_says_that)
    if any(hear(folded, row) for row in rows for hear in hears):
        return True
    return any(
        first is not second and first.finds("others", folded) and second.finds("speech", folded)
        for first in rows
        for second in rows
    )


def _others_speak(folded: str, row: Language) -> bool:
    """Whether somebody or something is named, and that it speaks."""
    speakers, speech = row.places("others", folded), row.places("speech", folded)
    if not speakers or not speech:
        return False
    return row.code not in _SUBJECT_FIRST or speakers[0][0] < speech[-1][0]


def _somebody_says_that(folded: str, row: Language) -> bool:
    """Whether a verb of speech has a subject before it, whoever that is, and "that" behind it."""
    return any(
        _THAT.match(folded[end:]) and re.search(r"\w", row.without("polite", folded[:start]))
        for start, end in row.places("speech", folded)
    )


def _mine_speaks(folded: str, row: Language) -> bool:
    """Whether somebody of the user's speaks, whoever it is: "my dentist says"."""
    if not row.spaced:
        return False
    mine = [end for _, end in row.places("first", folded)]
    return any(
        0 < start - end <= _MY_LENGTH for start, _ in row.places("speech", folded) for end in mine
    )


def is_question(text: str, rows: Rows) -> bool:
    """Whether it is a question, and none that asks to do something."""
    folded = fold(text)
    asks = _ASKING.search(folded) is not None or any(_asks(folded, row) for row in rows)
    return asks and not any(row.finds("polite", folded) for row in rows)


def _asks(folded: str, row: Language) -> bool:
    if row.spaced:
        return row.begins("question", _EDGE.sub("", folded)) is not None
    end = len(re.sub(r"\W+$", "", folded))
    return any(place[1] >= end for place in row.places("question", folded))


def is_order(text: str, rows: Rows) -> bool:
    """Whether what poses as a statement tells the assistant what to do."""
    folded = fold(text)
    return any(_is_order(folded, row) for row in rows)


def _is_order(folded: str, row: Language) -> bool:
    if row.finds("override", folded):
        return True
    for place in row.places("assistant", folded):
        rest = row.without("assistant", folded)
        if not _is_indefinite(folded[: place[0]], row) and (
            row.finds("must", rest) or row.finds("ask", rest)
        ):
            return True
    plain = (row.without("polite", part) for part in _PARTS.split(folded))
    parts = (_EDGE.sub("", part) for part in plain)
    return any(row.begins("command", part) or row.begins("lasting", part) for part in parts if part)


def _is_indefinite(before: str, row: Language) -> bool:
    """Whether what stands before a noun makes it none that is here: "an assistant"."""
    near = before[-_NEAR:].rstrip()
    return any(end == len(near) for _, end in row.places("indefinite", near))


def is_affirmation(text: str, rows: Iterable[Language]) -> bool:
    """Whether a text begins by agreeing."""
    folded = _EDGE.sub("", fold(text))
    return any(row.begins("yes", folded) for row in rows)
