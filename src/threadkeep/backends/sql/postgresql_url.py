"""URLs of PostgreSQL, read by libpq itself, so that they mean what they mean to psql."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from threadkeep.backends.sql.url import Target, unique, unreadable

PREPARE: Final = "prepare_threshold"  # psycopg's own, which libpq does not know
KEYWORDS: Final = frozenset(
    option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()
)
_SCHEME: Final = "postgresql://"
_ALIASES: Final = {"ssl"}  # `ssl=true` is `sslmode=require`


def read(url: str) -> Target:
    """What the URL says, wherever it stands: `//host/db?user=ada` and `///db?host=/run/pg` alike.

    Raises:
        ConfigError: libpq cannot read it, or it says one thing twice, and differently.
    """
    _, slashes, rest = url.partition("://")
    place, _, query = rest.partition("?")
    authority, _, path = place.partition("/")
    # A raw `@` or `/` in a password would make a host or a database of the rest, for all to see.
    if not slashes or "\0" in url or authority.count("@") > 1 or "@" in path:
        raise unreadable()
    parameters = unique([*_parsed(place), *_parameters(query)])
    host, user, password, database = (
        parameters.pop(name, None) or None for name in ("host", "user", "password", "dbname")
    )
    port = _port(parameters.pop("port", ""))
    return Target("postgresql", host, port, user, password, database, parameters)


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    for piece in filter(None, query.split("&")):
        name, equals, value = piece.partition("=")
        name = unquote(name)
        if not equals or (name not in KEYWORDS and "@" in query):  # a raw `?` in a password
            raise unreadable()
        if name in KEYWORDS or name in _ALIASES:
            yield from _parsed(f"?{piece}")
        else:
            yield name, unquote(value)  # ours, or refused by name


def _parsed(rest: str) -> list[tuple[str, str]]:
    url = _SCHEME + rest.replace(" ", "%20")  # which SQLAlchemy leaves, and newer libpq refuses
    try:
        return [(name, str(value)) for name, value in conninfo_to_dict(url).items()]
    except (psycopg.Error, UnicodeError):
        raise unreadable() from None


def _port(text: str) -> int | str | None:
    """One port, or several as they are; each may be missing."""
    ports = text.split(",")
    for port in filter(None, ports):
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise unreadable()
    if len(ports) > 1:
        return text if any(ports) else None
    return int(text) if text else None
