"""Parts of the URLs of stores."""

from __future__ import annotations

import os
from typing import Final, NamedTuple
from urllib.parse import unquote

from threadkeep.errors import ConfigError
from threadkeep.printable import shown

DEFAULT_URL: Final = "sqlite:///threadkeep.db"


class Url(NamedTuple):
    """`scheme:location?query`."""

    scheme: str
    location: str
    query: str = ""

    @classmethod
    def parse(cls, text: str) -> Url | None:
        """Split a text; `None` if it has no scheme."""
        scheme, colon, location_and_query = text.partition(":")
        location, _, query_text = location_and_query.partition("?")
        return cls(scheme, location, query_text) if colon else None


def after_slashes(url: Url) -> str:
    """The part between `scheme://` and the query.

    Raises:
        ConfigError: there are no two slashes.
    """
    if not url.location.startswith("//"):
        raise ConfigError(
            f"{safe_scheme(url.scheme)}: needs two slashes behind it, as in {shown(DEFAULT_URL)}"
        )
    return url.location[2:]


def whole_url(url: Url) -> dict[str, str]:
    """The option `url`, for stores that read their URLs themselves."""
    after_slashes(url)
    return {"url": f"{url.scheme}:{url.location}"}


def no_location(url: Url) -> dict[str, str]:
    """Options of a store without a location: none."""
    if after_slashes(url):
        raise ConfigError(f"{url.scheme}:// takes no host or path")
    return {}


def sqlite_location(url: Url) -> dict[str, str]:
    """The path of an SQLite file, or of a database in memory."""
    database_path = after_slashes(url)
    if database_path in ("", "/", "/:memory:"):
        return {"path": ":memory:"}
    if not database_path.startswith("/"):
        raise ConfigError(
            "sqlite:// has no host: three slashes begin a relative path (sqlite:///chat.db), "
            "four an absolute one"
        )
    return {"path": database_path[1:]}


def file_location(url: Url) -> dict[str, str]:
    """The path of the file store's folder."""
    folder_path = unquote(url.location)
    if folder_path.startswith("//"):
        folder_path = folder_path[2:]
        if not folder_path.startswith("/"):
            raise ConfigError(
                "file:// has no host: file:chats is a folder here, file:///var/chats any other"
            )
    if folder_path.startswith("/~/"):  # file:///~/chats
        folder_path = folder_path[1:]
    if os.name == "nt" and folder_path[2:3] == ":":  # /C:/chats
        folder_path = folder_path[1:]
    return {"path": folder_path}


def safe_scheme(kind: object) -> str:
    """A scheme for an error message: `?` if it may contain a password."""
    kind_text = str(kind)
    return kind_text if kind_text.replace("+", "").isalnum() and len(kind_text) <= 32 else "?"


def without_secrets(url: str) -> str:
    """The scheme and host of a URL; only the scheme if the rest may contain a password."""
    scheme, _, after_scheme = url.partition("://")
    authority_and_path = after_scheme.partition("?")[0]
    userinfo_and_path, _, host = authority_and_path.rpartition("@")
    may_hold_secret = (
        "@" in after_scheme[len(authority_and_path) :] or "/" in userinfo_and_path
    )  # a password may be unquoted
    return scheme if may_hold_secret else f"{scheme}://{host}"
