"""Remembered text as one line of a prompt: it can neither end its block nor hide anything."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_OPEN: Final = "<\uff1c\ufe64\u2039\u2329\u27e8\u276e\u3008\u02c2\u1438\u227a\u276c\u29fc"
_CLOSE: Final = ">\uff1e\ufe65\u203a\u232a\u27e9\u276f\u3009\u02c3\u1433\u227b\u276d\u29fd"
_BRACKETS: Final = str.maketrans(dict.fromkeys(_OPEN, "&lt;") | dict.fromkeys(_CLOSE, "&gt;"))
"""Angle brackets and what looks like them: no mark, tag or special token can be spelt."""

_FENCES: Final = re.compile("`{3,}|~{3,}")
_JOINERS: Final = frozenset("\u200c\u200d")  # scripts and emoji need them
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SMUGGLERS: Final = range(0xE0100, 0xE01F0)  # variation selectors that no letter here needs


def escape_line(text: str, limit: int | None = None) -> str:
    """The text in one line, without what is not seen, and cut off after so many characters."""
    visible_text = "".join(filter(_is_visible, " ".join(text.split())))
    single_line = " ".join(visible_text.split())
    if limit is not None and len(single_line) > limit:
        single_line = f"{single_line[: limit - 1].rstrip()}…"
    return _FENCES.sub(lambda fence: fence[0][0], single_line).translate(_BRACKETS)


def _is_visible(letter: str) -> bool:
    if letter.isascii():
        return letter.isprintable()
    if letter in _JOINERS:
        return True
    return unicodedata.category(letter) not in _INVISIBLE and ord(letter) not in _SMUGGLERS
