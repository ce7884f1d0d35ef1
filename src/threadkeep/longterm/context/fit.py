"""A block of notes for a model: lines under headings, as many as a number of tokens allows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from threadkeep.longterm import markers
from threadkeep.protocols import TokenCounter


class ContextNote(NamedTuple):
    """One line of a block.

    Attributes:
        heading: what it stands under.
        position: its place there.
        line: the text, escaped.
    """

    heading: str
    position: int
    line: str


def render_block(
    opening: str,
    headings: Sequence[str],
    notes: Iterable[ContextNote],
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
    chosen_notes = _take_fitting(notes, limit - counter(f"{markers.enclosed(opening)}\n"), counter)
    while chosen_notes:
        block_text = _render(opening, headings, chosen_notes)
        if counter(block_text) <= limit:
            return block_text
        chosen_notes.pop()  # texts joined were more than the sum of their parts
    return ""


def fit_notes(notes: Iterable[ContextNote], limit: int, counter: TokenCounter) -> list[ContextNote]:
    """As many of the notes as make so many tokens, the first ones first."""
    return _take_fitting(notes, limit, counter)


def _take_fitting(
    notes: Iterable[ContextNote], remaining: int, counter: TokenCounter
) -> list[ContextNote]:
    chosen_notes: list[ContextNote] = []
    chosen_headings: set[str] = set()
    for note in notes:
        heading_cost = 0 if note.heading in chosen_headings else counter(f"\n{note.heading}\n")
        note_cost = heading_cost + counter(f"{note.line}\n")
        if note_cost <= remaining:
            chosen_notes.append(note)
            chosen_headings.add(note.heading)
            remaining -= note_cost
    return chosen_notes


def _render(opening: str, headings: Sequence[str], notes: Iterable[ContextNote]) -> str:
    sections = [opening]
    ordered_notes = sorted(notes, key=lambda note: note.position)
    for heading in headings:
        note_lines = [note.line for note in ordered_notes if note.heading == heading]
        if note_lines:
            sections.append("\n".join([heading, *note_lines]))
    return markers.enclosed("\n\n".join(sections))
