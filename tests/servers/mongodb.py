"""MongoDB for the tests: a URL of the environment, else a private mongod, else a skip."""

from __future__ import annotations

import functools
import os
import shutil
from typing import Any

from pymongo import MongoClient

from tests.servers.instances import Instance, absent


@functools.cache
def url() -> str:
    """Of a server that all tests share; each takes a collection of its own."""
    return os.environ.get("THREADKEEP_TEST_MONGODB_URL") or Mongo().url()


class Mongo:
    """A private mongod. Skips the test if it is not installed.

    Args:
        *settings: flags of mongod.
    """

    def __init__(self, *settings: str) -> None:
        program = shutil.which("mongod")
        if program is None:
            absent("mongodb", "no mongod is installed, and THREADKEEP_TEST_MONGODB_URL is not set")
        self._program = program
        self._settings = settings
        self.instance = Instance("mongodb", "nobody")
        self.port = self.instance.port
        self.start()

    def start(self) -> None:
        """Start it, also again."""
        folder = self.instance.folder
        how = ("--dbpath", folder, "--port", self.port, "--bind_ip", "127.0.0.1")
        self.instance.start([self._program, *how, *self._settings], self._ready)

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
