"""Stores to wrap: one that never waits, one on the disk that can be opened again, servers."""

from __future__ import annotations

from functools import partial

import pytest

from tests.servers import postgres, redis
from tests.servers.instances import fresh_table
from tests.wrappers.telemetry import Telemetry
from threadkeep.backends.memory import MemoryBackend
from threadkeep.backends.redis import RedisBackend
from threadkeep.backends.sql import SqlBackend
from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.testing import BackendContract
from threadkeep.testing.contract.concurrency import ConcurrencyContract
from threadkeep.testing.contract.state_machine import StateMachineContract
from threadkeep.types import Query
from threadkeep.types.record_kinds import KINDS

NOW = 1_750_000_000.0
STREAM = "default/session/chat"
INNER = ("memory", "sqlite")


SERVERS = ("postgres", "redis")


class ServerContract(BackendContract):
    """What a wrapper could spoil on a server; crowds meet there by the server's own means."""


for name in (*vars(ConcurrencyContract), *vars(StateMachineContract)):
    if name.startswith("test"):
        setattr(ServerContract, name, None)


def opened(name, path):
    """A store of the table, empty or opened again."""
    return opener(name, path)()


def opener(name, path):
    """Opens an empty store, and the same store again; other processes may call it."""
    if name == "postgres":
        return partial(SqlBackend, postgres.url(), table_name=fresh_table(), pool_size=20)
    if name == "redis":
        return partial(RedisBackend, redis.url(), prefix=fresh_table(), pool_size=20)
    if name == "sqlite":
        return partial(SqliteBackend, path / "chat.db", pool_size=20)
    return MemoryBackend


@pytest.fixture(params=INNER)
def inner(request, tmp_path):
    backend = opened(request.param, tmp_path)
    yield backend
    backend.close()


def stored(backend, stream, kinds=KINDS):
    """All that is stored of a stream, in its order, past any wrapper."""
    pages = backend.read(*(Query(stream, kind) for kind in kinds), now=NOW)
    return sorted((record for page in pages for record in page.records), key=lambda r: r.seq)


@pytest.fixture
def telemetry():
    made = Telemetry()
    yield made
    made.shutdown()
