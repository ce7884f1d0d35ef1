"""threadkeep on PostgreSQL and MariaDB, as `connect(url)` gives it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import threadkeep
from benchmarks.systems.servers import InMysql, InPostgres, mariadb, postgres
from benchmarks.systems.threadkeep_core import Threadkeep


class ThreadkeepPostgres(Threadkeep, InPostgres):
    """A commit is one statement."""

    raw: ClassVar = "raw_postgres"
    longest: ClassVar = 100_000

    def __init__(self, folder: Path) -> None:
        InPostgres.__init__(self)
        Threadkeep.__init__(self, threadkeep.connect({"url": postgres(), "table_name": self.name}))

    def close(self) -> None:
        InPostgres.close(self)


class ThreadkeepMysql(Threadkeep, InMysql):
    """A commit is two packets."""

    raw: ClassVar = "raw_mysql"
    longest: ClassVar = 100_000

    def __init__(self, folder: Path) -> None:
        InMysql.__init__(self)
        Threadkeep.__init__(self, threadkeep.connect({"url": mariadb(), "table_name": self.name}))

    def close(self) -> None:
        InMysql.close(self)
