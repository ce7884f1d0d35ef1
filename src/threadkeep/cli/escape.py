"""Text for a terminal: control and invisible characters are replaced by escape sequences."""

from __future__ import annotations

import re
from typing import Final

_UNSAFE: Final = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 with ESC, but tab and newline; DEL; C1 with CSI
    "\u2028\u2029"  # line and paragraph separator
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi controls: they reorder what is read
    "\ud800-\udfff"  # half a character: not to be encoded
    "\u00ad\u200b\u2060-\u2065\u206a-\u206f\ufeff"  # without width: two texts that look alike
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufff0-\ufffb"  # blank fillers
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # formats of scripts
    "\U000e0000-\U000e0fff"  # tags and variation selectors: text within text, unseen
    "]"
    "|(?<![^\x00-\x7f])[\u200c\u200d]"  # joiners, but in scripts and emoji, which need them
)
_BREAKS: Final = {"\n": "\\n", "\t": "\\t"}


def escaped(text: str) -> str:
    r"""The text on one line or many: `\x1b` for ESC, `\u202e` for a bidi control.

    Stays as it is where there is nothing to escape, also a backslash: it is to be read by people.
    JSON has escapes of its own, which lose nothing.
    """
    return text if _is_plain(text) else _UNSAFE.sub(_escape, text)


def escaped_line(text: str) -> str:
    r"""As `escaped`, on one line: a newline is `\n`, a tab `\t`."""
    if _is_plain(text):
        return text
    return re.sub("[\n\t]", lambda match: _BREAKS[match[0]], escaped(text))


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
