"""A served memory on SQLite, on PostgreSQL and on Redis, and the official client for it."""

from __future__ import annotations

import pytest
from openai import OpenAI

from tests.serve.running import door as open_door
from tests.servers import postgres, redis
from tests.servers.instances import fresh_table
from threadkeep import connect
from threadkeep.backends.redis import RedisBackend
from threadkeep.backends.sql import SqlBackend
from threadkeep.backends.sqlite import SqliteBackend

STORES = {
    "sqlite": lambda path: SqliteBackend(path / "chat.db", timeout=10),
    "postgres": lambda path: SqlBackend(postgres.url(), table_name=fresh_table()),
    "redis": lambda path: RedisBackend(redis.url(), prefix=fresh_table()),
}


@pytest.fixture
def memory(tmp_path):
    with connect(tmp_path / "chat.db") as opened:
        yield opened


@pytest.fixture(params=STORES)
def stored_memory(request, tmp_path):
    """A memory on each of the stores."""
    backend = STORES[request.param](tmp_path)
    with connect(backend) as opened:
        yield opened
    backend.close()


@pytest.fixture
def door(memory, tmp_path):
    with open_door(memory, tmp_path) as opened:
        yield opened


@pytest.fixture
def client(door):
    with OpenAI(base_url=f"{door.url}/v1", api_key=door.ada, max_retries=0) as made:
        yield made
