"""PgBouncer in transaction mode before the tests' PostgreSQL: a URL, an instance, or a skip."""

from __future__ import annotations

import functools
import os
import shutil

from tests.servers import postgres
from tests.servers.instances import Instance, absent

_USER = "nobody"


@functools.cache
def url() -> str:
    """Of the shared PostgreSQL's database, through the pooler."""
    return os.environ.get("THREADKEEP_TEST_PGBOUNCER_URL") or PgBouncer(postgres.shared()).url()


class PgBouncer:
    """A private instance: each transaction may run on another connection of the server.

    Skips the test if it is not installed.

    Args:
        server: the PostgreSQL behind it.
        connections: the most that it opens to the server; clients wait for one.
    """

    def __init__(self, server: postgres.Postgres, connections: int = 10) -> None:
        program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
        if program is None:
            absent("pgbouncer", "it is not installed; THREADKEEP_TEST_PGBOUNCER_URL is not set")
        self._program = program
        self._server = server
        self.instance = Instance("pgbouncer", _USER)
        self.port = self.instance.port
        self._write("pgbouncer.ini", _SETTINGS.format(
            server=server.port, port=self.port, folder=self.instance.folder, connections=connections
        ))  # fmt: skip
        self._write("users.txt", f'"postgres" "{postgres.PASSWORD}"\n')
        self.start()

    def start(self) -> None:
        """Start it, also again."""
        self.instance.start([self._program, self.instance.folder / "pgbouncer.ini"], self._ready)

    def kill(self) -> None:
        """End it without warning."""
        self.instance.kill()

    def url(self) -> str:
        """Of the server's database `postgres`, through the pooler."""
        return f"postgresql://postgres:{postgres.ESCAPED}@127.0.0.1:{self.port}/postgres"

    def _write(self, name: str, text: str) -> None:
        path = self.instance.folder / name
        path.write_text(text)
        self.instance.own(path)

    def _ready(self) -> None:
        import psycopg

        psycopg.connect(self.url(), connect_timeout=5).close()


_SETTINGS = """
[databases]
postgres = host=127.0.0.1 port={server} dbname=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 500
ignore_startup_parameters = extra_float_digits,options
"""
