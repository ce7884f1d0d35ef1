"""MariaDB, which stands for MySQL 8 too: a URL of the environment, an instance, or a skip."""

from __future__ import annotations

import functools
import os
import shutil
import socket
from pathlib import Path

from tests.servers.instances import Instance, absent

PASSWORD = "s3cret/%@: word"
ESCAPED = "s3cret%2F%25%40%3A%20word"
FAST = ("--innodb-flush-log-at-trx-commit=0",)


@functools.cache
def url() -> str:
    """Of a database that all tests share; each takes tables of its own."""
    given = os.environ.get("THREADKEEP_TEST_MYSQL_URL")
    return given or shared().url()


@functools.cache
def shared() -> MariaDB:
    """The instance that all tests share which do not harm it."""
    return MariaDB(*FAST)


class MariaDB:
    """A private instance. Skips the test if MariaDB is not installed.

    Args:
        *settings: flags of mariadbd.
    """

    name = "mariadb"
    user = "mysql"  # whom the server runs as
    flags: tuple[str, ...] = ("--innodb-log-file-size=16M",)
    encrypted = "SELECT 0"  # asks whether this connection is; tests of TLS know better

    def __init__(self, *settings: str) -> None:
        self._program = self.program()
        self._settings = settings
        self.instance = Instance(self.name, self.user)
        self.port = self.instance.port
        self.initialize()
        self.start()
        self._root(
            "CREATE DATABASE chat CHARACTER SET utf8mb4",
            "CREATE USER ada@'%' IDENTIFIED BY 's3cret/%@: word'",
            "GRANT ALL ON *.* TO ada@'%'",
        )

    def program(self) -> tuple[str, ...]:
        """The command of the server, without flags."""
        return (program(),)

    def initialize(self) -> None:
        """Make its data folder, with a root who needs no password."""
        how = ("--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
        own = f"--tmpdir={self.instance.folder}"  # another that starts clears what is in /tmp
        self.instance.call("mariadb-install-db", "--no-defaults", self.datadir, own, *how)

    def start(self) -> None:
        """Start it, also again."""
        folder = self.instance.folder
        how = (
            "--no-defaults",
            self.datadir,
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            f"--socket={self.socket}",
            f"--pid-file={folder}/pid",
            "--skip-name-resolve",
            "--innodb-buffer-pool-size=64M",
            "--skip-log-bin",
            "--character-set-server=utf8mb4",
            "--max-connections=200",
            f"--tmpdir={folder}",
        )
        self.instance.start([*self._program, *how, *self.flags, *self._settings], self._ready)

    @property
    def datadir(self) -> str:
        """The flag that names its data folder."""
        return f"--datadir={self.instance.folder}/data"

    @property
    def socket(self) -> Path:
        """Its Unix socket."""
        return self.instance.folder / "s.sock"

    def settings(self, *settings: str) -> None:
        """More settings, from the next start on."""
        self._settings += settings

    def insist(self, tls: bool) -> None:
        """Take connections by TLS only, or all again."""
        self._root(f"SET GLOBAL require_secure_transport = {'ON' if tls else 'OFF'}")

    def kill(self) -> None:
        """End it without warning."""
        self.instance.kill()
        self.socket.unlink(missing_ok=True)

    def url(self, *, user: str = f"ada:{ESCAPED}", host: str = "127.0.0.1") -> str:
        """Of its database `chat`."""
        return f"mysql://{user}@{host}:{self.port}/chat"

    def run(self, *statements: str) -> list[tuple[object, ...]]:
        """As a shell of its own would; the rows of the last one."""
        return self._root("USE chat", *statements)

    def _root(self, *statements: str) -> list[tuple[object, ...]]:
        import pymysql

        connection = pymysql.Connection(
            user="root", ssl_disabled=True, autocommit=True, defer_connect=True
        )
        # A socket of our own, since PyMySQL forgets to close one that nobody answers.
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.socket))
            connection.connect(line)
            with connection, connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())

    def _ready(self) -> None:
        self._root("SELECT 1")


def program() -> str:
    """The path of mariadbd."""
    found = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/libexec")
    if found is None or not shutil.which("mariadb-install-db"):
        absent("mysql", "MariaDB is not installed; THREADKEEP_TEST_MYSQL_URL is not set")
    return found
