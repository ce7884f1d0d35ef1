"""Names that are safe in every store: streams by noun and id, record ids from anyone's text."""

from __future__ import annotations

from urllib.parse import quote, unquote

from threadkeep.errors import InputError

_LIMIT = 512  # bytes of UTF-8, what a backend promises to take


def stream(namespace: str, noun: str, name: str) -> str:
    """The stream of a thing, `<namespace>/<noun>/<name>`, percent-encoded part by part.

    A name too long to be encoded is hashed; the original stands in the stream's records.
    """
    start = prefix(namespace, noun)
    return start + _quote(name, _LIMIT - len(start))


def prefix(namespace: str, noun: str) -> str:
    """What the names of all streams of a noun begin with."""
    return f"{home(namespace)}{noun}/"


def home(namespace: str) -> str:
    """What the names of all streams of a namespace begin with."""
    return f"{_quote(namespace, _LIMIT // 4)}/"


def parts(stream: str) -> tuple[str, str]:
    """The namespace of a stream, and its last part as it stands there, encoded."""
    home, _, rest = stream.partition("/")
    return unquote(home, errors="surrogatepass"), rest.partition("/")[2]


def key(name: str) -> str:
    """A record id for any text: the text itself where a store can take it, else its hash."""
    if name.isascii() and len(name) <= _LIMIT and "\0" not in name and name[:1] != "=":
        return name
    name = whole(name)
    if _is_key(name):
        return name
    return f"={_digest(name)}"


def is_key(name: object) -> bool:
    """Whether it can be a record's id as it stands there, as `key` makes them."""
    return isinstance(name, str) and name != "" and _is_key(name.removeprefix("="))


def check(name: object, field: str) -> str:
    """The name, if it is a text that is not empty.

    Raises:
        InputError: it is anything else.
    """
    if not isinstance(name, str):
        raise InputError(f"{field} must be a str, got {type(name).__name__}")
    if not name:
        raise InputError(f"{field} must not be empty")
    return whole(name)


def whole(name: str) -> str:
    """The name as it comes back from JSON, which joins two surrogates to one character."""
    if name.isascii():
        return name
    return name.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _quote(name: str, limit: int) -> str:
    quoted = quote(name, safe="", errors="surrogatepass")
    # quote() never yields "=", so that no short name can pose as a hashed one
    return quoted if len(quoted) <= limit else f"={_digest(name)}"


def _digest(name: str) -> str:
    import hashlib  # rare, and a tenth of the time our import takes

    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def storable(name: str) -> bool:
    """Whether every store can take it as a name: 1 to 512 bytes of UTF-8 without NUL."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:  # lone surrogates
        return False
    return 1 <= size <= _LIMIT and "\0" not in name


def _is_key(name: str) -> bool:
    return storable(name) and name[:1] != "="
