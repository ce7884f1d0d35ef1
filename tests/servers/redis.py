"""Redis for the tests: a URL of the environment, else private instances, else a skip.

The system's, and newer ones that `make servers` unpacked: Redis 8 and Valkey 9.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import socket
from collections.abc import Iterator
from typing import Any

import redis as driver

from tests.servers import unpacked
from tests.servers.instances import Instance, absent, free_port

SECRET = "s3cret/%@: word"
ESCAPED = "s3cret%2F%25%40%3A%20word"
_USER = "nobody"


@functools.cache
def url() -> str:
    """Of a server that all tests share; each takes a prefix of its own."""
    return os.environ.get("THREADKEEP_TEST_REDIS_URL") or Redis().url()


@functools.cache
def cluster_url() -> str:
    """Of a cluster that all tests share; each takes a prefix of its own."""
    return os.environ.get("THREADKEEP_TEST_REDIS_CLUSTER_URL") or Cluster().url()


@functools.cache
def unpacked_url(name: str) -> str:
    """Of a newer server, `redis8` or `valkey9`, that all tests share."""
    return os.environ.get(f"THREADKEEP_TEST_{name.upper()}_URL") or Unpacked(name).url()


def program() -> str:
    """The path of redis-server, or of Valkey's."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        absent("redis", "redis-server is not installed, and THREADKEEP_TEST_REDIS_URL is not set")
    return found


class Redis:
    """A private server. Skips the test if Redis is not installed.

    Args:
        *settings: flags of redis-server.
        port: where it listens.
    """

    name = "redis"
    user = _USER

    def __init__(self, *settings: str, port: int | None = None) -> None:
        self._program = self.program()
        self._settings = settings
        self.instance = Instance(self.name, self.user)
        self.port = port or self.instance.port
        self.start()

    def program(self) -> tuple[str, ...]:
        """What starts it, without its flags."""
        return (program(),)

    def start(self) -> None:
        """Start it, also again."""
        folder = self.instance.folder
        how = ("--bind", "127.0.0.1", "--dir", str(folder), "--loglevel", "notice")
        keep = () if "--appendonly" in self._settings else ("--appendonly", "no")
        command = [*self._program, "--port", self.port, *how, "--save", "", *keep, *self._settings]
        self.instance.start(command, self._ready)
        self.alive = True

    def kill(self) -> None:
        """End it without warning."""
        self.alive = False
        self.instance.kill()

    def remove(self) -> None:
        """End it, and remove what it wrote."""
        self.instance.remove()

    def url(self, db: int = 0) -> str:
        """Of one of its databases."""
        return f"redis://127.0.0.1:{self.port}/{db}"

    def run(self, *command: object) -> Any:
        """As a shell of its own would, past our code."""
        with driver.Redis(port=self.port, decode_responses=True) as client:
            return client.execute_command(*command)

    def offset(self, name: str) -> Any:
        """A field of what it says of replication."""
        return self.run("INFO", "replication")[name]

    def _ready(self) -> None:
        with contextlib.suppress(driver.AuthenticationError):  # then it is up, and wants a password
            self.run("PING")


class Unpacked(Redis):
    """A newer server, beside the system's. Skips the test if it is not there.

    Args:
        name: its folder, `redis8` or `valkey9`.
    """

    user = "root"  # who can read the folder, wherever it is

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__()

    def program(self) -> tuple[str, ...]:
        return unpacked.command(self.name, f"usr/bin/{self.name.rstrip('89')}-server")


class Cluster:
    """A private cluster of three primaries, with or without a replica of each."""

    def __init__(self, replicas: int = 0) -> None:
        count = 3 * (1 + replicas)
        how = ("--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf")
        patience = ("--cluster-node-timeout", "1000")
        program()
        self.nodes = [Redis(*how, *patience, port=port) for port in bus_ports(count)]
        places = [f"127.0.0.1:{node.port}" for node in self.nodes]
        shell = shutil.which("redis-cli") or shutil.which("valkey-cli") or "redis-cli"
        create = (shell, "--cluster", "create", *places)
        self.nodes[0].instance.call(*create, "--cluster-replicas", str(replicas), "--cluster-yes")

    def url(self) -> str:
        """Of two of its nodes; the others are to be found."""
        one, other = self.nodes[:2]
        return f"redis+cluster://127.0.0.1:{one.port},127.0.0.1:{other.port}"

    def remove(self) -> None:
        """End all of it."""
        for node in self.nodes:
            node.remove()

    def owner(self, slot: int) -> Redis:
        """The primary that holds a slot."""
        with driver.RedisCluster(host="127.0.0.1", port=self.alive().port) as client:
            name = client.nodes_manager.slots_cache[slot][0].port
        return next(node for node in self.nodes if node.port == name)

    def replica_of(self, primary: Redis) -> Redis:
        """The node that follows a primary."""
        roles = {node: node.run("ROLE") for node in self.nodes if node.alive}
        return next(
            node for node, role in roles.items() if role[0] == "slave" and role[2] == primary.port
        )

    def alive(self) -> Redis:
        """A node that was not killed."""
        return next(node for node in self.nodes if node.alive)


def bus_ports(count: int) -> Iterator[int]:
    """Ports whose neighbour 10,000 above, where nodes talk to each other, is free too."""
    while count:
        port = 10_000 + free_port() % 12_000
        if all(map(_free, (port, port + 10_000))):
            count -= 1
            yield port


def _free(port: int) -> bool:
    with socket.socket() as found:
        return found.connect_ex(("127.0.0.1", port)) != 0
