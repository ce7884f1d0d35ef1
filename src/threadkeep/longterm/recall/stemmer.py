"""The stemmer of M. F. Porter, "An algorithm for suffix stripping" (Program 14, 1980)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_STEP_2: Final = {
    "ational": "ate", "tional": "tion", "enci": "ence", "anci": "ance", "izer": "ize",
    "abli": "able", "alli": "al", "entli": "ent", "eli": "e", "ousli": "ous",
    "ization": "ize", "ation": "ate", "ator": "ate", "alism": "al", "iveness": "ive",
    "fulness": "ful", "ousness": "ous", "aliti": "al", "iviti": "ive", "biliti": "ble",
}  # fmt: skip
_STEP_3: Final = {
    "icate": "ic", "ative": "", "alize": "al", "iciti": "ic", "ical": "ic", "ful": "", "ness": "",
}  # fmt: skip
_STEP_4: Final = dict.fromkeys(
    ("al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou",
     "ism", "ate", "iti", "ous", "ive", "ize"),
    "",
)  # fmt: skip


def stem(word: str) -> str:
    """The stem of an English word in lower case; words of one or two letters stay as they are."""
    if len(word) < 3:
        return word
    word = _past(_plural(word))
    if word[-1] == "y" and "v" in _shape(word[:-1]):
        word = word[:-1] + "i"
    word = _suffix(word, _STEP_2, _lasting)
    word = _suffix(word, _STEP_3, _lasting)
    word = _suffix(word, _STEP_4, _long)
    return _last_letters(word)


def _shape(word: str) -> str:
    """A letter for each of the word: `v` for vowels, `c` for consonants; y is what is needed."""
    shape = ""
    for letter in word:
        is_vowel = letter in "aeiou" or (letter == "y" and shape[-1:] == "c")
        shape += "v" if is_vowel else "c"
    return shape


def _measure(word: str) -> int:
    return _shape(word).count("vc")


def _plural(word: str) -> str:
    if word.endswith(("sses", "ies")):
        return word[:-2]
    return word[:-1] if word[-1] == "s" and word[-2] != "s" else word


def _past(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) else word
    for suffix in ("ed", "ing"):
        stem = word[: -len(suffix)]
        if word.endswith(suffix):
            return _mended(stem) if "v" in _shape(stem) else word
    return word


def _mended(stem: str) -> str:
    if stem.endswith(("at", "bl", "iz")):
        return stem + "e"
    if len(stem) > 1 and stem[-1] == stem[-2] and stem[-1] in "bdfgmnprt":
        return stem[:-1]
    return stem + "e" if _measure(stem) == 1 and _is_short(stem) else stem


def _is_short(stem: str) -> bool:
    return _shape(stem)[-3:] == "cvc" and stem[-1] not in "wxy"


def _suffix(word: str, table: dict[str, str], allows: Callable[[str, str], bool]) -> str:
    """The word with its longest suffix of the table replaced, if what is left allows it."""
    for suffix_length in range(min(7, len(word)), 1, -1):
        replacement = table.get(word[-suffix_length:])
        if replacement is not None:
            stem = word[:-suffix_length]
            return stem + replacement if allows(stem, word[-suffix_length:]) else word
    return word


def _lasting(stem: str, _: str) -> bool:
    return _measure(stem) > 0


def _long(stem: str, suffix: str) -> bool:
    return _measure(stem) > 1 and (suffix != "ion" or stem.endswith(("s", "t")))


def _last_letters(word: str) -> str:
    if word[-1] == "e":
        stem = word[:-1]
        measure = _measure(stem)
        if measure > 1 or (measure == 1 and not _is_short(stem)):
            word = stem
    return word[:-1] if word.endswith("ll") and _measure(word) > 1 else word
