"""MongoDB for the tests: a URL of the environment, else a private server, else a skip.

The private server is `mongod`, or else SecantusDB, which speaks its protocol: its executable is
named by THREADKEEP_TEST_SECANTUS, or lies where `make servers` puts it.
"""

from __future__ import annotations

import functools
import os
import shutil
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient

from tests.servers.instances import Instance, absent

_HERE: Final = Path(__file__).parents[2] / ".servers/secantus/bin/secantusd-py"


@functools.cache
def url() -> str:
    """Of a server that all tests share; each takes a collection of its own."""
    return os.environ.get("THREADKEEP_TEST_MONGODB_URL") or Mongo().url()


def share() -> float:
    """How much of the largest crowds this server can bear in tests.

    At each find-and-modify SecantusDB looks at all documents of the collection.
    """
    return 1.0 if os.environ.get("THREADKEEP_TEST_MONGODB_URL") or _mongod() else 0.2


class Mongo:
    """A private server. Skips the test if there is none.

    Args:
        durable: what was acknowledged outlives a kill; `mongod` needs `journal=true` in URLs, too.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._command = _mongod() or _secantus()
        if self._command and durable and not _mongod():
            self._command.append("--sync-on-commit")
        if self._command is None:
            why = "neither mongod nor SecantusDB is installed"
            absent("mongodb", f"{why}, and THREADKEEP_TEST_MONGODB_URL is not set")
        self.instance = Instance("mongodb", "root")
        self.port = self.instance.port
        self.start()

    def start(self) -> None:
        """Start it, also again."""
        place = {"port": str(self.port), "folder": str(self.instance.folder)}
        self.instance.start([word.format(**place) for word in self._command or ()], self._ready)

    def kill(self) -> None:
        """End it without warning."""
        self.instance.kill()

    def url(self) -> str:
        """Of it."""
        return f"mongodb://127.0.0.1:{self.port}"

    def _ready(self) -> None:
        client: MongoClient[Any] = MongoClient(self.url(), serverSelectionTimeoutMS=500)
        with client:
            client.admin.command("ping")


def _mongod() -> list[str] | None:
    program = shutil.which("mongod")
    how = ("--dbpath", "{folder}", "--port", "{port}", "--bind_ip", "127.0.0.1")
    return [program, *how] if program else None


def _secantus() -> list[str] | None:
    program = os.environ.get("THREADKEEP_TEST_SECANTUS") or str(_HERE)
    how = ("--storage-path", "{folder}/data", "--port", "{port}", "--host", "127.0.0.1")
    more = ("--cache-size", "128M", "--log-level", "ERROR")
    # A driver repeats no writes on a single server, whose memory of them is searched at each write.
    return [program, *how, *more, "--standalone"] if Path(program).exists() else None
