"""Reads options from the URLs of stores."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote

from threadkeep.errors import ConfigError

DEFAULT_URL: Final = "sqlite:///threadkeep.db"

OptionParser = Callable[[str], Any]
"""Parses the text of an option in a URL; raises ValueError if it is not valid."""

URL_SETTINGS: Final[Mapping[str, OptionParser]] = {
    "namespace": str,
    "ttl": float,
    "pool_size": int,
    "timeout": float,
}
"""Settings of `connect` that may stand in the query of any URL."""


_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


class Url(NamedTuple):
    """`scheme:location?query`."""

    scheme: str
    location: str
    query: str

    def query_options(self) -> dict[str, Any]:
        """The options in the query."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


def after_slashes(url: Url) -> str:
    """The part between `scheme://` and the query.

    Raises:
        ConfigError: there are no two slashes.
    """
    if not url.location.startswith("//"):
        raise ConfigError(
            f"{safe_scheme(url.scheme)}: needs two slashes behind it, as in {DEFAULT_URL!r}"
        )
    return url.location[2:]


def no_location(url: Url) -> dict[str, Any]:
    """Options of a store without a location: those of the query."""
    if after_slashes(url):
        raise ConfigError(f"{url.scheme}:// takes no host or path")
    return url.query_options()


def url_option(url: Url, names: Collection[str] = URL_SETTINGS) -> dict[str, Any]:
    """The option `url`, without the query's settings of `connect`, which stand beside it."""
    after_slashes(url)
    parameters = url.query.split("&") if url.query else []
    settings = {name: value for name, value in url.query_options().items() if name in names}
    remaining_query = "&".join(
        piece for piece in parameters if piece.partition("=")[0] not in names
    )
    return {
        **settings,
        "url": f"{url.scheme}:{url.location}{'?' if remaining_query else ''}{remaining_query}",
    }


def sqlite_options(url: Url) -> dict[str, Any]:
    """Options of an SQLite file, or of a database in memory."""
    path = after_slashes(url)
    if path in ("", "/", "/:memory:"):
        return with_path(":memory:", url)
    if not path.startswith("/"):
        raise ConfigError(
            "sqlite:// has no host: three slashes begin a relative path (sqlite:///chat.db), "
            "four an absolute one"
        )
    return with_path(path[1:], url)


def file_options(url: Url) -> dict[str, Any]:
    """Options of the file store's folder."""
    path = unquote(url.location)
    if path.startswith("//"):
        path = path[2:]
        if not path.startswith("/"):
            raise ConfigError(
                "file:// has no host: file:chats is a folder here, file:///var/chats any other"
            )
    if os.name == "nt" and path[2:3] == ":":  # /C:/chats
        path = path[1:]
    return with_path(path, url)


def with_path(path: str, url: Url) -> dict[str, Any]:
    """The options of a query, with the path.

    Raises:
        ConfigError: the query names another path.
    """
    options = url.query_options()
    if options.get("path", path) != path:
        raise ConfigError("path is given twice, and differently")
    return {**options, "path": path}


def parse_flag(text: str) -> bool:
    """Parse `true`, `1`, `false` or `0`."""
    if text not in _FLAGS:
        raise ValueError(text)
    return _FLAGS[text]


def safe_scheme(kind: object) -> str:
    """A scheme for an error message: `?` if it may contain a password."""
    text = str(kind)
    return text if text.replace("+", "").isalnum() and len(text) <= 32 else "?"


def without_secrets(url: str) -> str:
    """The scheme and host of a URL; only the scheme if the rest may contain a password."""
    scheme, _, rest = url.partition("://")
    authority_and_path = rest.partition("?")[0]
    before_host, _, host = authority_and_path.rpartition("@")
    may_hold_secret = (
        "@" in rest[len(authority_and_path) :] or "/" in before_host
    )  # a password may be unquoted
    return scheme if may_hold_secret else f"{scheme}://{host}"
