"""threadkeep on PostgreSQL and MariaDB, as `connect(url)` gives it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import threadkeep
from benchmarks.systems.servers import mariadb, postgres
from benchmarks.systems.threadkeep_core import Threadkeep
from tests.servers.instances import fresh_table


class _Sql(Threadkeep):
    """Tables of its own for each run."""

    longest: ClassVar = 100_000

    def __init__(self, url: str) -> None:
        super().__init__(threadkeep.connect({"url": url, "table_name": fresh_table()}))

    def size(self) -> None:
        return None


class ThreadkeepPostgres(_Sql):
    """A commit is one statement."""

    raw: ClassVar = "raw_postgres"

    def __init__(self, folder: Path) -> None:
        super().__init__(postgres())


class ThreadkeepMysql(_Sql):
    """A commit is two packets."""

    raw: ClassVar = "raw_mysql"

    def __init__(self, folder: Path) -> None:
        super().__init__(mariadb())
