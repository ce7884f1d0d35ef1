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
_UNSAFE: Final = (  # a pattern that few programs need is compiled when it is first used
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
_CREDENTIALS: Final = r"(?<=://)[^\s]*@"  # up to the last @: a password may hold any
_TELLING: Final = r"(?:\w*_)?(?:pass(?:word|wd|phrase)?|pwd|secret|token|api_?key|key|auth)"
_SECRET_FIELD: Final = rf"(?i)(?<![a-z])({_TELLING}=)[^&;\s]+"
_SECRET_KEY: Final = rf"(?i){_TELLING}"


def escaped(text: str) -> str:
    r"""The text on one line or many: `\x1b` for ESC, `\u202e` for a bidi control.

    Stays as it is where there is nothing to escape, also a backslash: it is to be read by people.
    JSON has escapes of its own, which lose nothing.
    """
    return text if _is_plain(text) else re.sub(_UNSAFE, _escape, text)


def escaped_line(text: str) -> str:
    r"""As `escaped`, on one line: a newline is `\n`, a tab `\t`."""
    if _is_plain(text):
        return text
    return re.sub("[\n\t]", lambda break_match: _BREAKS[break_match[0]], escaped(text))


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number of things: `1 session`, `3 sessions`; the plural is given unless it adds an s."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


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
    escaped_start = escaped_line(text_start[:limit])
    quote = '"' if "'" in escaped_start and '"' not in escaped_start else "'"
    if len(text) <= limit:
        return f"{quote}{escaped_start}{quote}"
    return f"{quote}{escaped_start}...{quote} ({len(text):,} characters)"


def _without_secrets(text: str) -> str:
    if "://" in text:
        text = re.sub(_CREDENTIALS, "***@", text)
        if len(text) >= _MAX_SCANNED:  # the end of a password may lie beyond
            text = text.partition("://")[0] + "://***"
    return re.sub(_SECRET_FIELD, r"\1***", text) if "=" in text else text


def _container(value: object, limit: int, depth: int) -> str:
    type_name = type(value).__name__
    try:
        entry_count = len(value)  # type: ignore[arg-type]
        if not depth or entry_count > _MAX_ENTRIES:
            return f"a {type_name} of {entry_count:,}"
        entries_text = ", ".join(_entries(value, limit // 2, depth - 1))
    except Exception:  # whatever a class of the caller's raises
        return f"a {type_name}"
    bracket_pair = {"list": "[]", "tuple": "()"}.get(type_name, "{}")
    return (
        f"{bracket_pair[0]}{entries_text}{bracket_pair[1]}"
        if len(entries_text) <= limit
        else f"a {type_name} of {entry_count:,}"
    )


def _entries(value: object, limit: int, depth: int) -> list[str]:
    if isinstance(value, Mapping):
        return [
            f"{_rendered(key, limit, depth)}: "
            + ("***" if _is_secret(key) else _rendered(child_value, limit, depth))
            for key, child_value in value.items()
        ]
    return [_rendered(child_value, limit, depth) for child_value in value]  # type: ignore[attr-defined]


def _is_secret(key: object) -> bool:
    return isinstance(key, str) and re.fullmatch(_SECRET_KEY, key) is not None


def _object(value: object, limit: int) -> str:
    try:
        value_repr = repr(value)
    except Exception:  # RecursionError, ValueError of a long number, or the caller's own
        return f"a {type(value).__name__}"
    escaped_repr = escaped_line(_without_secrets(value_repr[:_MAX_SCANNED])[: limit + 1])
    return (
        escaped_repr
        if len(escaped_repr) <= limit
        else f"a {type(value).__name__}: {escaped_repr[:limit]}..."
    )


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _escape(match: re.Match[str]) -> str:
    code_point = ord(match[0])
    if code_point <= 0xFF:
        return f"\\x{code_point:02x}"
    return f"\\u{code_point:04x}" if code_point <= 0xFFFF else f"\\U{code_point:08x}"
