"""Loads the modules of a dialect, which import its driver."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Final, NamedTuple

from threadkeep.errors import MissingExtra


class Driver(NamedTuple):
    """The class of a dialect, the package of its driver, and the extra that installs it."""

    name: str
    package: str
    extra: str


DRIVERS: Final = {
    "postgresql": Driver("PostgreSQL", "psycopg", "postgres"),
    "mysql": Driver("MySQL", "pymysql", "mysql"),
    "oracle": Driver("Oracle", "oracledb", "oracle"),
}


def load(dialect: str, module: str) -> ModuleType:
    """Import a module beside this one that needs a dialect's driver.

    Raises:
        MissingExtra: the driver is not installed.
    """
    driver = DRIVERS[dialect]
    try:
        return importlib.import_module(f"threadkeep.backends.sql.{module}")
    except ModuleNotFoundError as error:
        if not error.name or error.name.partition(".")[0] != driver.package:
            raise
        raise MissingExtra(
            f'{driver.name} needs {driver.package}: pip install "threadkeep[{driver.extra}]"'
        ) from error
