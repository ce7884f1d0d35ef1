"""A block of notes for a model: lines under headings, as many as a number of tokens allows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from threadkeep.longterm import markers
from threadkeep.protocols import TokenCounter


class Note(NamedTuple):
    """One line of a block.

    Attributes:
        heading: what it stands under.
        place: its place there.
        line: the text, escaped.
    """

    heading: str
    place: int
    line: str


def page(
    opening: str,
    headings: Sequence[str],
    notes: Iterable[Note],
    limit: int,
    counter: TokenCounter,
) -> str:
    """The block; empty if not even one note has room.

    Args:
        opening: what the model is told of the block.
        headings: in the order they are shown in.
        notes: the most worthy first; one that has no room is left out as a whole.
        limit: tokens of the block, all told.
        counter: how many tokens a text is.
    """
    chosen = _fitting(notes, limit - counter(f"{markers.enclosed(opening)}\n"), counter)
    while chosen:
        text = _shown(opening, headings, chosen)
        if counter(text) <= limit:
            return text
        chosen.pop()  # texts joined were more than the sum of their parts
    return ""


def capped(notes: Iterable[Note], limit: int, counter: TokenCounter) -> list[Note]:
    """As many of the notes as make so many tokens, the first ones first."""
    return _fitting(notes, limit, counter)


def _fitting(notes: Iterable[Note], left: int, counter: TokenCounter) -> list[Note]:
    chosen: list[Note] = []
    headings: set[str] = set()
    for note in notes:
        under = 0 if note.heading in headings else counter(f"\n{note.heading}\n")
        cost = under + counter(f"{note.line}\n")
        if cost <= left:
            chosen.append(note)
            headings.add(note.heading)
            left -= cost
    return chosen


def _shown(opening: str, headings: Sequence[str], notes: Iterable[Note]) -> str:
    parts = [opening]
    in_place = sorted(notes, key=lambda note: note.place)
    for heading in headings:
        lines = [note.line for note in in_place if note.heading == heading]
        if lines:
            parts.append("\n".join([heading, *lines]))
    return markers.enclosed("\n\n".join(parts))
