"""Texts without what does not change their words: case, accents, vowel signs, forms of letters."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Final

_MARKS: Final = re.compile(
    "[\u0300-\u036f\u0640\u064b-\u065f\u0670\u093c\u200b-\u200f\u2060\ufeff]"
)
_LETTERS: Final = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u02bc": "'",
        "\u0131": "i",
        "\u0142": "l",
        "\u0622": "\u0627",
        "\u0623": "\u0627",
        "\u0625": "\u0627",
        "\u0649": "\u064a",
        "\u0629": "\u0647",
    }
)

LETTER: Final = "[\\w\u0900-\u0963\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]"
"""A letter, with the vowel signs of scripts that write them as characters of their own."""

_WORD: Final = re.compile(f"{LETTER}+(?:'{LETTER}+)*")


@functools.lru_cache(maxsize=2_048)
def fold(text: str) -> str:
    """The text as it is compared: never stored, never shown."""
    decomposed_text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    composed_text = unicodedata.normalize("NFC", _MARKS.sub("", decomposed_text))
    return composed_text.translate(_LETTERS)


def words(text: str) -> list[str]:
    """The words of a text, folded; scripts without spaces give runs of letters."""
    return _WORD.findall(fold(text))


def squeezed(text: str) -> str:
    """The folded text with single spaces, to find a quotation in it."""
    return " ".join(fold(text).split())


def folded_with_places(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters where it stands in the text."""
    composed_text = unicodedata.normalize("NFC", text)
    if composed_text != text and len(composed_text) != len(text):
        text = composed_text
    folded_characters = [fold(character) for character in text]
    source_indexes = [
        source_index
        for source_index, folded_character in enumerate(folded_characters)
        for _ in folded_character
    ]
    return "".join(folded_characters), source_indexes
