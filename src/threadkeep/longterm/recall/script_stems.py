"""Light stems of words in scripts other than the Latin one: endings and prefixes are taken off.

Light, since a search forgives a stem that is too long, and not one that two words share.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_MIN: Final = 3
"""Letters that are left of a word at least; two of a word in Arabic or Hebrew letters."""


def _longest_first(endings: str) -> tuple[str, ...]:
    return tuple(sorted(endings.split(), key=len, reverse=True))


_RUSSIAN: Final = _longest_first(
    "иями ями ами ему ому его ого ыми ими ием ией иях иям ьями ьях ья ью ье ая яя ое ее ые ие ой ей"
    " ый ий ую юю ом ем ам ям ах ях ов ев ам ть л ла ло ли ет ют ут ит ят ат ешь ишь ете ите ал ала"
    " али ил ила или ел ела ели ать ить еть ять ует уют аю яю аешь ает ают яет яют а я о е ы и у ю"
    " ь й"
)
_REFLEXIVE: Final = ("ся", "сь")
_GREEK: Final = _longest_first(
    "ουσ ων οι ουν εισ ει ω ασ α εσ ε ησ η ισ ι οσ ο ου υ αι ματα ματοσ μα αμε ετε"
)
_HINDI: Final = _longest_first(
    "ियों ियां ियाँ ाओं ाएं ुओं ुएं ोगे ूंगा ेगा ेगी ेंगे ता ते ती ना ने नी कर ाना ाने ानी ों ें ां ाँ ीं"
    " ैं या ये यी ए एं ई ओं ा ी े ि ु ू ो ौ ै ं"
)
_ARABIC_PREFIXES: Final = ("وال", "بال", "كال", "فال", "ولل", "ال", "لل")
_ARABIC_ENDINGS: Final = _longest_first("ها هم هن كم نا ان ات ون ين يه ته تي ه ي")
_ARABIC_PERSONS: Final = "ايتن"  # what a verb of the present begins with: I, he, she or you, we
_ARABIC_PARTICLES: Final = "وبلف"
_HEBREW_PARTICLES: Final = "הובכלמש"
_HEBREW_ENDINGS: Final = ("ימ", "ות")


def _without(word: str, endings: tuple[str, ...], least: int = _MIN) -> str:
    for ending in endings:
        if word.endswith(ending) and len(word) - len(ending) >= least:
            return word[: -len(ending)]
    return word


def _russian(word: str) -> tuple[str, ...]:
    return (_without(_without(word, _REFLEXIVE), _RUSSIAN),)


def _greek(word: str) -> tuple[str, ...]:
    return (_without(word, _GREEK),)


def _hindi(word: str) -> tuple[str, ...]:
    return (_without(word, _HINDI, 2),)


def _arabic(word: str) -> tuple[str, ...]:
    """Without the article; and, as a verb may have it, without the letter of the person."""
    prefix = next((p for p in _ARABIC_PREFIXES if word.startswith(p)), "")
    word_without_prefix = word[len(prefix) :] if len(word) - len(prefix) >= 2 else word
    noun_stem = _without(word_without_prefix, _ARABIC_ENDINGS, 2 if prefix else 3)
    readings = [noun_stem]
    if not prefix and len(word) > _MIN:
        word_without_particle = word[1:] if word[0] in _ARABIC_PARTICLES else word
        if word[0] in _ARABIC_PARTICLES:
            readings.append(_without(word_without_particle, _ARABIC_ENDINGS))
        if len(word_without_particle) > _MIN and word_without_particle[0] in _ARABIC_PERSONS:
            readings.append(_without(word_without_particle[1:], _ARABIC_ENDINGS))
    return tuple(readings)


def _hebrew(word: str) -> tuple[str, ...]:
    """As it is; and without the letter in front that may be an article or a particle."""
    readings = [_without(word, _HEBREW_ENDINGS, 2)]
    word_without_particles = word
    while (
        len(word_without_particles) > _MIN
        and word_without_particles[0] in _HEBREW_PARTICLES
        and len(readings) < _MIN
    ):
        word_without_particles = word_without_particles[1:]
        readings.append(_without(word_without_particles, _HEBREW_ENDINGS, 2))
    return tuple(readings)


_STEMMERS: Final[tuple[tuple[str, str, Callable[[str], tuple[str, ...]]], ...]] = (
    ("\u0370", "\u03ff", _greek),
    ("\u0400", "\u04ff", _russian),
    ("\u0590", "\u05ff", _hebrew),
    ("\u0600", "\u06ff", _arabic),
    ("\u0900", "\u097f", _hindi),
)


def readings(word: str) -> tuple[str, ...]:
    """The stems that a word may have, the likeliest first; the word itself in other scripts."""
    for first_letter, last_letter, stemmer in _STEMMERS:
        if first_letter <= word[0] <= last_letter:
            return tuple(dict.fromkeys(stemmer(word)))
    return (word,)
