"""Kin of a word that does not occur: stems that it begins or ends, and its other inflections."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from threadkeep.longterm.recall.tokenizer import Word

_MIN_PREFIX: Final = 5
"""Letters that two stems must begin with alike, where one is the beginning of the other."""
_MIN_SUFFIX: Final = 6
"""Letters of a stem that may be the last part of a compound."""
_MIN_ROOT: Final = 4
"""Letters that two inflections of a word have in common at least."""
_ENDINGS: Final = frozenset(
    """e n s t en er es em st te et nd ung d a o i os as is ar ir an ado ada ando ez ent ant ons ais
    ait amo emo imo y ie""".split()  # noqa: SIM905
) | {""}
"""What may follow the root in languages whose words the stemmer does not know."""
_MAX_LETTERS: Final = 100
"""Longer than any word: what is longer has no kin, and would take time by the square of it."""
_PAIR: Final = 2
_HAN: Final = re.compile("[\u3400-\u9fff]")


def kin_of(word: Word, vocabularies: Iterable[str]) -> list[str]:
    """The stems of some vocabularies that are kin to a word, sorted.

    Args:
        word: its readings.
        vocabularies: stems, each between two ends of lines.
    """
    if len(word[0]) == _PAIR and (han_letters := _HAN.findall(word[0])):
        return han_letters
    long_stems = [
        stem for stem in word if _MIN_ROOT < len(stem) <= _MAX_LETTERS and not stem.isdigit()
    ]
    kin_stems: set[str] = set()
    for vocabulary in vocabularies if long_stems else ():
        for stem in long_stems:
            candidate_stems = _candidates(stem, vocabulary)
            kin_stems.update(candidate for candidate in candidate_stems if _is_kin(stem, candidate))
    return sorted(kin_stems)


def _candidates(stem: str, vocabulary: str) -> list[str]:
    """The stems that begin as one does, that end with it, or that it ends with."""
    root_pattern, stem_pattern = re.escape(stem[:_MIN_ROOT]), re.escape(stem)
    candidate_stems: list[str] = re.findall(f"\n({root_pattern}[^\n]*)(?=\n)", vocabulary)
    if len(stem) >= _MIN_SUFFIX:
        candidate_stems += (
            re.findall(f"\n([^\n]+{stem_pattern})(?=\n)", vocabulary) if stem in vocabulary else []
        )
    suffixes = (stem[i:] for i in range(1, len(stem) - _MIN_SUFFIX + 1))
    return candidate_stems + [suffix for suffix in suffixes if f"\n{suffix}\n" in vocabulary]


def _is_kin(stem: str, other: str) -> bool:
    shorter_stem, longer_stem = sorted((stem, other), key=len)
    if len(shorter_stem) >= _MIN_PREFIX and longer_stem.startswith(shorter_stem):
        return True
    if len(shorter_stem) >= _MIN_SUFFIX and longer_stem.endswith(shorter_stem):
        return True
    common_length = next(
        (n for n, (a, b) in enumerate(zip(shorter_stem, longer_stem, strict=False)) if a != b),
        len(shorter_stem),
    )
    endings = {shorter_stem[common_length:], longer_stem[common_length:]}
    return common_length >= _MIN_ROOT and shorter_stem.isalpha() and endings <= _ENDINGS
