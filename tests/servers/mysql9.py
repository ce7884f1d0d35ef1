"""MySQL 9: a URL of the environment, an instance of what `make servers` unpacked, or a skip."""

from __future__ import annotations

import functools
import os
from typing import Final

from tests.servers import unpacked
from tests.servers.mysql import FAST, MariaDB

_ROOT: Final = unpacked.FOLDER / "mysql9"


@functools.cache
def url() -> str:
    """Of a database that all tests share; each takes tables of its own."""
    return os.environ.get("THREADKEEP_TEST_MYSQL9_URL") or shared().url()


@functools.cache
def shared() -> MySQL9:
    """The instance that all tests share which do not harm it."""
    return MySQL9(*FAST)


class MySQL9(MariaDB):
    """A private instance, run by its own loader with its own libraries. Skips if there is none."""

    name = "mysql9"
    user = "root"  # who can read the folder, wherever it is
    flags = (
        "--user=root",
        "--mysqlx=OFF",
        "--secure-file-priv=",
        "--innodb-redo-log-capacity=16M",
        f"--basedir={_ROOT}/usr",
        f"--lc-messages-dir={_ROOT}/usr/share/mysql",
        f"--plugin-dir={_ROOT}/usr/lib/mysql/plugin",
    )

    def program(self) -> tuple[str, ...]:
        return unpacked.command("mysql9", "usr/sbin/mysqld", "usr/lib/mysql/private")

    def initialize(self) -> None:
        how = ("--initialize-insecure", self.datadir)
        self.instance.call(*self._program, "--no-defaults", *self.flags, *how)
