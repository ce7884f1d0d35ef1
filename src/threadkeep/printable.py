"""Text from outside as it may be printed: bounded, without control characters and secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from typing import Final

MAX_SHOWN: Final = 80
"""Characters of a value in an error."""

_MAX_SCANNED: Final = 10_000  # characters of a text in which secrets are looked for
_MAX_ENTRIES: Final = 5
_MAX_DEPTH: Final = 3
_MAX_KEY: Final = 40
_MAX_BITS: Final = 200  # of a number that is written out
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
_CREDENTIALS: Final = re.compile(r"(?<=://)[^\s]*@")  # up to the last @: a password may hold any
_TELLING: Final = r"(?:\w*_)?(?:pass(?:word|wd|phrase)?|pwd|secret|token|api_?key|key|auth)"
_SECRET_FIELD: Final = re.compile(rf"(?i)(?<![a-z])({_TELLING}=)[^&;\s]+")
_SECRET_KEY: Final = re.compile(rf"(?i){_TELLING}")


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


def shown(value: object, limit: int = MAX_SHOWN) -> str:
    """A value as an error may quote it: on one line, at most about `limit` characters.

    Never raises, whatever the value is; a password in a URL or under a telling key is left out.
    """
    return _rendered(value, limit, _MAX_DEPTH)


def shown_key(key: str) -> str:
    """A key as a path to a value may have it: as it is where it is a short word."""
    return key if len(key) <= _MAX_KEY and _is_plain(key) else shown(key, _MAX_KEY)


def _rendered(value: object, limit: int, depth: int) -> str:
    if isinstance(value, str):
        return _quoted(value, limit)
    if value is None or isinstance(value, (bool, float)):
        return repr(value)
    if type(value) is int:
        return str(value) if value.bit_length() <= _MAX_BITS else "a number of many digits"
    if type(value) is bytes:
        return f"bytes of length {len(value):,}"
    if isinstance(value, (Mapping, list, tuple, Set)):
        return _container(value, limit, depth)
    return _object(value, limit)


def _quoted(text: str, limit: int) -> str:
    text_start = _without_secrets(text[:_MAX_SCANNED])
    line = escaped_line(text_start[:limit])
    quote_mark = '"' if "'" in line and '"' not in line else "'"
    if len(text) <= limit:
        return f"{quote_mark}{line}{quote_mark}"
    return f"{quote_mark}{line}...{quote_mark} ({len(text):,} characters)"


def _without_secrets(text: str) -> str:
    if "://" in text:
        text = _CREDENTIALS.sub("***@", text)
        if len(text) >= _MAX_SCANNED:  # the end of a password may lie beyond
            text = text.partition("://")[0] + "://***"
    return _SECRET_FIELD.sub(r"\1***", text) if "=" in text else text


def _container(value: object, limit: int, depth: int) -> str:
    kind = type(value).__name__
    try:
        size = len(value)  # type: ignore[arg-type]
        if not depth or size > _MAX_ENTRIES:
            return f"a {kind} of {size:,}"
        text = ", ".join(_entries(value, limit // 2, depth - 1))
    except Exception:  # whatever a class of the caller's raises
        return f"a {kind}"
    brackets = {"list": "[]", "tuple": "()"}.get(kind, "{}")
    return f"{brackets[0]}{text}{brackets[1]}" if len(text) <= limit else f"a {kind} of {size:,}"


def _entries(value: object, limit: int, depth: int) -> list[str]:
    if isinstance(value, Mapping):
        return [
            f"{_rendered(key, limit, depth)}: "
            + ("***" if _is_secret(key) else _rendered(entry, limit, depth))
            for key, entry in value.items()
        ]
    return [_rendered(entry, limit, depth) for entry in value]  # type: ignore[attr-defined]


def _is_secret(key: object) -> bool:
    return isinstance(key, str) and _SECRET_KEY.fullmatch(key) is not None


def _object(value: object, limit: int) -> str:
    try:
        text = repr(value)
    except Exception:  # RecursionError, ValueError of a long number, or the caller's own
        return f"a {type(value).__name__}"
    line = escaped_line(_without_secrets(text[:_MAX_SCANNED])[: limit + 1])
    return line if len(line) <= limit else f"a {type(value).__name__}: {line[:limit]}..."


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
