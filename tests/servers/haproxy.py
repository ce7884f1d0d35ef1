"""HAProxy before the tests' PostgreSQL: a private instance, or a skip."""

from __future__ import annotations

import shutil

from tests.servers import postgres
from tests.servers.instances import Instance, absent

_USER = "nobody"


class HaProxy:
    """A private instance that passes connections on. Skips the test if it is not installed.

    Args:
        server: the PostgreSQL behind it.
    """

    def __init__(self, server: postgres.Postgres) -> None:
        program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
        if program is None:
            absent("haproxy", "HAProxy is not installed")
        self._program = program
        self.instance = Instance("haproxy", _USER)
        self.port = self.instance.port
        settings = self.instance.folder / "haproxy.cfg"
        settings.write_text(_SETTINGS.format(server=server.port, port=self.port))
        self.instance.own(settings)
        self.start()

    def start(self) -> None:
        """Start it, also again."""
        command = [self._program, "-db", "-f", self.instance.folder / "haproxy.cfg"]
        self.instance.start(command, self._ready)

    def kill(self) -> None:
        """End it without warning."""
        self.instance.kill()

    def url(self) -> str:
        """Of the server's database `postgres`, through the proxy."""
        return f"postgresql://postgres:{postgres.ESCAPED}@127.0.0.1:{self.port}/postgres"

    def _ready(self) -> None:
        import psycopg

        psycopg.connect(self.url(), connect_timeout=5).close()


_SETTINGS = """
global
    maxconn 500

defaults
    mode tcp
    timeout connect 5s
    timeout client 1m
    timeout server 1m

listen postgres
    bind 127.0.0.1:{port}
    server one 127.0.0.1:{server} check inter 1s
"""
