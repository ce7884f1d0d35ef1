"""One spelling for what is written in several: case, signs, widths, digits and kana are folded."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from threadkeep.longterm.recall.han import SIMPLIFIED

_LEFT_OUT: Final = (
    # marks that a writer may leave out: accents, vowel signs, nuktas, skin tones
    (0x0300, 0x036F), (0x0591, 0x05BD), (0x05BF, 0x05BF), (0x05C1, 0x05C2), (0x05C4, 0x05C5),
    (0x05C7, 0x05C7), (0x0610, 0x061A), (0x0640, 0x0640), (0x064B, 0x065F), (0x0670, 0x0670),
    (0x06D6, 0x06DC), (0x06DF, 0x06E8), (0x06EA, 0x06ED), (0x093C, 0x093C), (0x09BC, 0x09BC),
    (0x0A3C, 0x0A3C), (0x0ABC, 0x0ABC), (0x0B3C, 0x0B3C), (0x0CBC, 0x0CBC), (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0x1F3FB, 0x1F3FF),
    # what has no width and stands inside words: soft hyphens, joiners, marks of direction
    (0x00AD, 0x00AD), (0x061C, 0x061C), (0x180E, 0x180E), (0x200B, 0x200F), (0x202A, 0x202E),
    (0x2060, 0x2064), (0x2066, 0x206F), (0xFEFF, 0xFEFF), (0xE0000, 0xE007F),
)  # fmt: skip
_LETTERS: Final = {
    "ł": "l", "ı": "i", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe",
    "þ": "th", "ŋ": "n", "ɓ": "b", "ɗ": "d", "ƙ": "k", "\u2019": "'", "\u02bc": "'",
    "\u0671": "\u0627", "\u0649": "\u064a", "\u06cc": "\u064a", "\u06a9": "\u0643",
    "\u0629": "\u0647", "\u06c1": "\u0647", "\u06be": "\u0647", "\u06d5": "\u0647",  # Arabic
    "\u05da": "\u05db", "\u05dd": "\u05de", "\u05df": "\u05e0", "\u05e3": "\u05e4",
    "\u05e5": "\u05e6",  # the last letters of Hebrew words
    "\u0901": "\u0902",  # candrabindu, which many write as an anusvara
}  # fmt: skip
_NASAL: Final = re.compile("[\u0919\u091e\u0923\u0928\u092e]\u094d(?=[\u0915-\u0939])")
_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_HAS_UMLAUT: Final = re.compile("[äöüøå]")


def fold(text: str) -> str:
    """A text in the one spelling that is indexed; folding it again changes nothing."""
    if text.isascii():
        return text.lower()
    unaccented_text = unicodedata.normalize("NFKD", text.casefold()).translate(_table())
    folded_text = unicodedata.normalize("NFC", unaccented_text).casefold()
    return _NASAL.sub("\u0902", folded_text)


def fold_umlauts(text: str) -> str | None:
    """The text as it is written where there are no umlauts: "Mueller"; `None` if it has none."""
    if text.isascii():
        return None
    composed_text = unicodedata.normalize("NFC", text.casefold())
    return fold(composed_text.translate(_UMLAUTS)) if _HAS_UMLAUT.search(composed_text) else None


@functools.cache
def _table() -> dict[int, str | int | None]:
    """What becomes of single characters, for `str.translate`."""
    translation_table: dict[int, str | int | None] = dict(SIMPLIFIED)
    translation_table |= {ord(letter): plain_letters for letter, plain_letters in _LETTERS.items()}
    translation_table |= {
        code_point: code_point - 0x60 for code_point in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)
    }
    translation_table |= {
        code_point: None
        for first_code, last_code in _LEFT_OUT
        for code_point in range(first_code, last_code + 1)
    }
    translation_table |= dict(_digits())
    return translation_table


def _digits() -> Iterator[tuple[int, str]]:
    """Digits of all scripts; NFKD has made plain ones of those that are only styled."""
    for code_point in range(0x0660, 0xABFA):
        if unicodedata.category(chr(code_point)) == "Nd":
            yield code_point, str(unicodedata.digit(chr(code_point)))
