"""The URL that was probably meant, where none was given; what may be a secret is not repeated."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from threadkeep.config.urls import DEFAULT_URL
from threadkeep.printable import shown

SQLITE_SUFFIXES: Final = frozenset({".db", ".sqlite", ".sqlite3"})

_POSTGRES: Final = "postgresql://localhost:5432/database"
_MYSQL: Final = "mysql://localhost:3306/database"
_ORACLE: Final = "oracle://localhost:1521/?service_name=database"
_REDIS: Final = "redis://localhost:6379"
_MONGODB: Final = "mongodb://localhost:27017/database"

_BY_WORD: Final = {
    "memory": "memory://",
    "inmemory": "memory://",
    "none": "none://",
    "sqlite": DEFAULT_URL,
    "sqlite3": DEFAULT_URL,
    "file": "file:chats",
    "postgres": _POSTGRES,
    "postgresql": _POSTGRES,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "oracle": _ORACLE,
    "redis": _REDIS,
    "valkey": _REDIS,
    "mongo": _MONGODB,
    "mongodb": _MONGODB,
}
_SCHEME_BY_PORT: Final = {
    "5432": "postgresql://",
    "3306": "mysql://",
    "6379": "redis://",
    "27017": "mongodb://",
}
_ADDRESS_OPTIONS: Final = frozenset(
    {"host", "port", "database", "db", "uri", "dsn", "file", "filename", "connection", "engine",
     "client", "server", "address", "db_path", "db_url", "database_url", "database_uri",
     "connection_string", "conn_string"}
)  # fmt: skip
_NAME: Final = re.compile(r"(?:[A-Za-z_.~-]{0,20}/)*[A-Za-z][A-Za-z_-]{0,19}/?")
"""A name or a path. Keys and passwords have digits, or other signs."""
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z.-]*:(\d+)(/[a-z_]*)?")


def example_url(text: str) -> str:
    """What a URL looks like, as near to a text without a scheme as can be told."""
    if url := _BY_WORD.get(text.lower()):
        return shown(url)
    is_file = Path(text).suffix in SQLITE_SUFFIXES and not set(text) & set("@?:")
    if is_file:
        return shown(f"sqlite:///{text}")
    if not _NAME.fullmatch(text):
        return shown(DEFAULT_URL)
    folder = shown(f"file:{text}")
    return folder if text.endswith("/") else f"{shown(f'sqlite:///{text}.db')} or {folder}"


def url_of_address(text: str) -> str | None:
    """The URL of a host with the port of a store, or of `:memory:`; `None` = it is neither."""
    if text == ":memory:":
        return _BY_WORD["memory"]
    address = _ADDRESS.fullmatch(text)
    scheme = _SCHEME_BY_PORT.get(address[1]) if address else None
    return None if scheme is None else scheme + text


def url_of_option(name: object) -> str:
    """What to write for an option that says where a store is, as others name it; else empty."""
    if not isinstance(name, str):
        return ""
    word = name.lower().removeprefix("async_")
    base, _, end = word.rpartition("_")
    if base in _BY_WORD and end in ("url", "uri", "dsn", "path", "client", "host"):
        return f"; the URL comes first: connect({shown(_BY_WORD[base])})"
    if word in _ADDRESS_OPTIONS:
        urls = ", ".join(shown(url) for url in (DEFAULT_URL, _POSTGRES, _REDIS))
        return f"; say where the store is by a URL, which comes first: connect(...) with {urls}"
    return ""
