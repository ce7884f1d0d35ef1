"""What English texts are about, coarsely, and their addresses; to rank, not to judge."""

from __future__ import annotations

import re
from typing import Final

from threadkeep.longterm.recall import tokenizer

_ADDRESS: Final = re.compile(r"https?://\S+|www\.\S+|\S+@\S+\.\S+")


def _word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_STOP_WORDS: Final = _word_set(
    """
    a about again all also am an and any are as at be been being but by can could did do
    does doing done for from get gets getting go goes going got had has have having he her
    hers him his how i if in into is it its just let like likes made make makes may me might
    mine more most much must my myself not of off on once one only or other our ours out
    over own per please really said say says shall she should so some such than that the
    their theirs them then there these they thing things this those to too under until up
    upon us use user users very want wants was we well were what when where which while who
    whom whose why will with would you your yours yourself
    don isn wasn aren weren doesn didn won wouldn couldn shouldn
    haven hasn hadn named called name fact remember note
    """
)

_NEGATIONS: Final = _word_set(
    """
    no not never none nobody nothing neither nor without cannot stop stopped quit avoid
    refuse refuses hate hates dislike dislikes nicht kein keine keinen nie niemals pas
    jamais sans nunca nao non mai niet geen
    """
)

_DATE_WORDS: Final = _word_set(
    """
    january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec monday tuesday wednesday thursday
    friday saturday sunday today yesterday tomorrow week weekend month year day morning
    evening night last next ago since
    """
)


def content_stems(text: str) -> frozenset[str]:
    """The stems of the words that carry sense, without names of days and months, and numbers.

    A form of two words has the stems of both: "lives" those of life and of live.
    """
    return frozenset(
        stem
        for word in tokenizer.tokens(text)
        if _carries_sense(word)
        for stem in tokenizer.readings(word)
    )


def says_all_of(text: str, other: str) -> bool:
    """Whether every word of another text that carries sense is in a text, in some form."""
    text_stems = content_stems(text)
    other_words = (
        tokenizer.readings(word) for word in tokenizer.tokens(other) if _carries_sense(word)
    )
    return all(not text_stems.isdisjoint(word) for word in other_words)


def _carries_sense(word: str) -> bool:
    if word[0].isdigit() or (len(word) == 1 and word.isascii()):
        return False
    return word not in _STOP_WORDS and word not in _DATE_WORDS and word not in _NEGATIONS


def addresses(text: str) -> frozenset[str]:
    """URLs and mail addresses: nothing that may be said in other words."""
    return frozenset(address.rstrip(".,;:!?)").casefold() for address in _ADDRESS.findall(text))


def containment(stems: frozenset[str], other: frozenset[str]) -> float:
    """The share of the first that is found in the other; none of nothing."""
    return len(stems & other) / len(stems) if stems else 0.0
