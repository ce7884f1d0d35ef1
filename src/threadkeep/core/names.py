"""Stream names and record ids that are safe in every store, from any text."""

from __future__ import annotations

import re
from typing import Final

from threadkeep.errors import InputError

_LIMIT = 512  # bytes of UTF-8 that every backend accepts
_is_unreserved: Final = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch
"""Whether a name needs no percent-encoding (RFC 3986)."""


def stream(namespace: str, noun: str, name: str) -> str:
    """A stream's name, `<namespace>/<noun>/<name>`, each part percent-encoded.

    A name that is too long is hashed; the original is in the stream's records.
    """
    name_prefix = noun_prefix(namespace, noun)
    return name_prefix + _quote(name, _LIMIT - len(name_prefix))


def thread_prefix(namespace: str, noun: str, thread: str) -> str:
    """The prefix of all streams of a thread, `<namespace>/<noun>/<thread>/`."""
    return f"{noun_prefix(namespace, noun)}{_quote(thread, _LIMIT // 4)}/"


def thread_stream(namespace: str, noun: str, thread: str, branch: str) -> str:
    """A stream of a thread, `<namespace>/<noun>/<thread>/<branch>`; `=` if the branch is empty."""
    name_prefix = thread_prefix(namespace, noun, thread)
    return name_prefix + (_quote(branch, _LIMIT - len(name_prefix)) or "=")


def noun_prefix(namespace: str, noun: str) -> str:
    """The prefix of all streams of a noun in a namespace."""
    return f"{namespace_prefix(namespace)}{noun}/"


def namespace_prefix(namespace: str) -> str:
    """The prefix of all streams of a namespace."""
    return f"{_quote(namespace, _LIMIT // 4)}/"


def parts(stream: str) -> tuple[str, str]:
    """The namespace of a stream, decoded, and its last part, still encoded."""
    encoded_namespace, _, noun_and_name = stream.partition("/")
    return decoded(encoded_namespace), noun_and_name.partition("/")[2]


def decoded(part: str) -> str:
    """The text of an encoded part of a stream's name that is not hashed."""
    if "%" not in part:
        return part
    from urllib.parse import unquote  # rarely needed

    return unquote(part, errors="surrogatepass")


def key(name: str) -> str:
    """A record id for any text: the text itself if every store can take it, else its hash."""
    if name.isascii() and len(name) <= _LIMIT and "\0" not in name and name[:1] != "=":
        return name
    name = join_surrogates(name)
    if _is_key(name):
        return name
    return f"={_digest(name)}"


def is_key(name: object) -> bool:
    """Return True if it is a record id as `key` makes them."""
    return isinstance(name, str) and name != "" and _is_key(name.removeprefix("="))


def check(name: object, field: str) -> str:
    """Return the name if it is a text that is not empty.

    Raises:
        InputError: it is not.
    """
    if not isinstance(name, str):
        raise InputError(f"{field} must be a str, {got(name)}")
    if not name:
        raise InputError(f"{field} must not be empty")
    return join_surrogates(name)


def got(value: object) -> str:
    """What was passed in place of an id, for an error: its type, and that it has an id."""
    value_type = type(value)
    is_ours = value_type.__module__.partition(".")[0] == "threadkeep" and hasattr(value, "id")
    return f"got {value_type.__name__}{'; pass its id' if is_ours else ''}"


def join_surrogates(name: str) -> str:
    """The name as it comes back from JSON, which joins surrogate pairs to one character."""
    if name.isascii():
        return name
    return name.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _quote(name: str, limit: int) -> str:
    quoted_name = name
    if not _is_unreserved(name):
        from urllib.parse import quote  # rarely needed

        quoted_name = quote(name, safe="", errors="surrogatepass")
    # quote() never yields "=", so that no short name can pose as a hashed one
    return quoted_name if len(quoted_name) <= limit else f"={_digest(name)}"


def _digest(name: str) -> str:
    import hashlib  # rarely needed, and a tenth of our import time

    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def is_storable(name: str) -> bool:
    """Return True if every store can take it as a name: 1 to 512 bytes of UTF-8 without NUL."""
    try:
        byte_size = len(name.encode())
    except UnicodeEncodeError:  # lone surrogates
        return False
    return 1 <= byte_size <= _LIMIT and "\0" not in name


def _is_key(name: str) -> bool:
    return is_storable(name) and name[:1] != "="
