"""What the URLs of stores mean."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote

from threadkeep.errors import ConfigError

DEFAULT: Final = "sqlite:///threadkeep.db"

Read = Callable[[str], Any]
"""Makes a value of its text in a URL; a ValueError says that it cannot be one."""

IN_URLS: Final[Mapping[str, Read]] = {
    "namespace": str,
    "ttl": float,
    "pool_size": int,
    "timeout": float,
}
"""Settings of `connect` that may stand in the query of any URL."""


_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


class Url(NamedTuple):
    """`scheme:place?query`."""

    scheme: str
    place: str
    query: str

    def said(self) -> dict[str, Any]:
        """What the query says."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


def behind_slashes(url: Url) -> str:
    """What stands behind `scheme://`, before the query.

    Raises:
        ConfigError: there are no two slashes.
    """
    if not url.place.startswith("//"):
        raise ConfigError(f"{public(url.scheme)}: needs two slashes behind it, as in {DEFAULT!r}")
    return url.place[2:]


def nowhere(url: Url) -> dict[str, Any]:
    """Options of a store that has no place: those of the query."""
    if behind_slashes(url):
        raise ConfigError(f"{url.scheme}:// takes no host or path")
    return url.said()


def whole(url: Url, names: Collection[str] = IN_URLS) -> dict[str, Any]:
    """The URL as the option `url`, all but what `connect` itself takes from the query."""
    behind_slashes(url)
    pieces = url.query.split("&") if url.query else []
    ours = {name: value for name, value in url.said().items() if name in names}
    kept = "&".join(piece for piece in pieces if piece.partition("=")[0] not in names)
    return {**ours, "url": f"{url.scheme}:{url.place}{'?' if kept else ''}{kept}"}


def sqlite(url: Url) -> dict[str, Any]:
    """Options of a database file, or of one in memory."""
    place = behind_slashes(url)
    if place in ("", "/", "/:memory:"):
        return with_place(":memory:", url)
    if not place.startswith("/"):
        raise ConfigError(
            "sqlite:// has no host: three slashes begin a relative path (sqlite:///chat.db), "
            "four an absolute one"
        )
    return with_place(place[1:], url)


def file(url: Url) -> dict[str, Any]:
    """Options of a folder."""
    place = unquote(url.place)
    if place.startswith("//"):
        place = place[2:]
        if not place.startswith("/"):
            raise ConfigError(
                "file:// has no host: file:chats is a folder here, file:///var/chats any other"
            )
    if os.name == "nt" and place[2:3] == ":":  # /C:/chats
        place = place[1:]
    return with_place(place, url)


def with_place(path: str, url: Url) -> dict[str, Any]:
    """The options of a query, and the path beside them.

    Raises:
        ConfigError: the query names another path.
    """
    said = url.said()
    if said.get("path", path) != path:
        raise ConfigError("path is given twice, and differently")
    return {**said, "path": path}


def flag(text: str) -> bool:
    """True or false, as a URL may say it."""
    if text not in _FLAGS:
        raise ValueError(text)
    return _FLAGS[text]


def public(kind: object) -> str:
    """A scheme as an error may show it: never what may hold a password."""
    text = str(kind)
    return text if text.replace("+", "").isalnum() and len(text) <= 32 else "?"


def without_secrets(url: str) -> str:
    """The scheme and the host of a URL; no more than the scheme if a password may be in it."""
    scheme, _, rest = url.partition("://")
    place = rest.partition("?")[0]
    before, _, host = place.rpartition("@")
    hidden = "@" in rest[len(place) :] or "/" in before  # perhaps a password that is not quoted
    return scheme if hidden else f"{scheme}://{host}"
