"""The numbers of the formula that `docs/explanation/recall.md` explains; all chosen by measuring.

What neighbours give is counted in twentieths, in whole numbers: sums come out the same in whatever
order they were made, so that an index that grew finds what one that was built anew finds.
"""

from __future__ import annotations

from typing import Final

UNIT: Final = 20
"""So many units are one word."""

QUESTION_AFTER: Final = (24, 12, 6)
"""For a word of a short question, to the three turns behind it: the next is likely the answer."""
STATEMENT_AFTER: Final = (6, 6, 6)
"""For a word that was stated, to the three turns behind it."""
WORD_BEFORE: Final = (6, 6)
"""For a word of any kind, to the two turns before it."""
NEIGHBOUR_SPEAKER: Final = 3
"""For the name of a neighbour's speaker, where a word of it counts as a neighbour's word."""

QUESTION_WORD: Final = 0.5
"""A word in a short question of one's own, beside one that is stated."""
PIVOT: Final = 60
"""Words from which on a turn's own words count for less."""
SPEAKER: Final = 3.0
"""A word that is in the speaker's name."""
DATE: Final = 0.5
"""A word that is in the date."""
FACT: Final = 0.5
"""A word of a fact, to the turn that it was learned from."""
CONTEXT_LENGTH: Final = 0.75
"""How much the length of the neighbourhood takes from what it gives, against the average."""

SATURATION: Final = 1.2
"""BM25's k1: from about so many on, more of the same word says little."""

KIND: Final = 0.2
"""For a turn that has a date, a number or a name where one is asked for."""
QUESTION: Final = 0.05
"""Taken from a turn that asks something."""
TOOL: Final = 0.5
"""What a tool's output weighs beside what people and models say."""
