"""URLs of PostgreSQL, parsed by libpq itself, so that they mean the same as to psql."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from threadkeep.backends.sql.url import DatabaseTarget, merge_parameters, unreadable_url

PREPARE_THRESHOLD: Final = "prepare_threshold"  # an option of psycopg, not of libpq
KEYWORDS: Final = frozenset(
    option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()
)
_SCHEME: Final = "postgresql://"
_ALIASES: Final = {"ssl"}  # `ssl=true` is `sslmode=require`


def parse_url(url: str) -> DatabaseTarget:
    """Parse a URL, such as `//host/db?user=ada` or `///db?host=/run/pg`.

    Raises:
        ConfigError: libpq cannot parse it, or it contradicts itself.
    """
    _, separator, locator = url.partition("://")
    address, _, query_text = locator.partition("?")
    authority, _, database_path = address.partition("/")
    # With a raw `@` or `/` in a password, its rest would show up as the host or the database.
    if not separator or "\0" in url or authority.count("@") > 1 or "@" in database_path:
        raise unreadable_url()
    parameters = merge_parameters([*_parse_conninfo(address), *_parameters(query_text)])
    host, user_name, password, database = (
        parameters.pop(parameter_name, None) or None
        for parameter_name in ("host", "user", "password", "dbname")
    )
    port = _parse_port(parameters.pop("port", ""))
    return DatabaseTarget("postgresql", host, port, user_name, password, database, parameters)


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    for parameter_text in filter(None, query.split("&")):
        quoted_name, separator, quoted_value = parameter_text.partition("=")
        parameter_name = unquote(quoted_name)
        # an unknown name beside an `@` comes of a raw `?` in a password
        if not separator or (parameter_name not in KEYWORDS and "@" in query):
            raise unreadable_url()
        if parameter_name in KEYWORDS or parameter_name in _ALIASES:
            yield from _parse_conninfo(f"?{parameter_text}")
        else:
            yield parameter_name, unquote(quoted_value)  # ours, or refused by name


def _parse_conninfo(address: str) -> list[tuple[str, str]]:
    url = _SCHEME + address.replace(" ", "%20")  # SQLAlchemy keeps spaces, newer libpq refuses them
    try:
        return [(name, str(value)) for name, value in conninfo_to_dict(url).items()]
    except (psycopg.Error, UnicodeError):
        raise unreadable_url() from None


def _parse_port(text: str) -> int | str | None:
    """Parse one port; several stay text, and each may be missing."""
    ports = text.split(",")
    for port in filter(None, ports):
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise unreadable_url()
    if len(ports) > 1:
        return text if any(ports) else None
    return int(text) if text else None
