"""MySQL 9: a URL of the environment, an instance of what `make servers` unpacked, or a skip."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Final

from tests.servers.instances import absent
from tests.servers.mysql import FAST, MariaDB

_ROOT: Final = (Path(__file__).parents[2] / ".servers/mysql9").resolve()


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
        mysqld = _ROOT / "usr/sbin/mysqld"
        loader = next(_ROOT.glob("usr/lib/*-linux-gnu*/ld-linux*.so.*"), None)
        if loader is None or not mysqld.exists():
            absent("mysql9", "MySQL 9 is not there; THREADKEEP_TEST_MYSQL9_URL is not set")
        libraries = f"{loader.parent}:{_ROOT}/usr/lib/mysql/private"
        return (str(loader), "--library-path", libraries, str(mysqld))

    def initialize(self) -> None:
        how = ("--initialize-insecure", self.datadir)
        self.instance.call(*self._program, "--no-defaults", *self.flags, *how)
