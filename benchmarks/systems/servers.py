"""Servers for the benchmarks: a URL of the environment, else a private one that syncs no commit."""

from __future__ import annotations

from collections.abc import Callable

from _pytest.outcomes import Skipped

from tests.servers import mongodb as documents
from tests.servers import mysql
from tests.servers import postgres as postgresql
from tests.servers import redis as keys


def postgres() -> str:
    """The URL of a PostgreSQL.

    Raises:
        ModuleNotFoundError: there is none.
    """
    return _url(postgresql.url)


def mariadb() -> str:
    """The URL of a MariaDB.

    Raises:
        ModuleNotFoundError: there is none.
    """
    return _url(mysql.url)


def redis() -> str:
    """The URL of a Redis.

    Raises:
        ModuleNotFoundError: there is none.
    """
    return _url(keys.url)


def mongodb() -> str:
    """The URL of a MongoDB.

    Raises:
        ModuleNotFoundError: there is none.
    """
    return _url(documents.url)


def _url(find: Callable[[], str]) -> str:
    try:
        return find()
    except Skipped as skipped:
        raise ModuleNotFoundError(str(skipped)) from None
