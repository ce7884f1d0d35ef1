"""Stores written before heads kept their ttl: read, migrated, and never shortened."""

import sqlite3
from typing import Any

import pytest
from pymongo import MongoClient

from tests.servers import mongodb, mysql, postgres, redis
from tests.servers.instances import fresh_table
from threadkeep.backends.file import FileBackend
from threadkeep.backends.file.line_format import render
from threadkeep.backends.mongodb import MongoBackend
from threadkeep.backends.redis import RedisBackend
from threadkeep.backends.sql import SqlBackend
from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.testing.contract.common import NOW, ids, items

S = "test/session/older"


def _sqlite(path):
    file = path / "chat.db"

    def age():
        with sqlite3.connect(file) as connection:
            connection.execute("ALTER TABLE threadkeep_streams DROP COLUMN ttl")
            connection.execute("PRAGMA user_version=1")
        connection.close()

    return lambda: SqliteBackend(file), age


def _sql(server):
    def store(path):
        del path
        table = fresh_table()

        def age():
            server.shared().run(
                f"ALTER TABLE {table}_streams DROP COLUMN ttl",
                f"UPDATE {table}_meta SET version = 1",
            )

        return lambda: SqlBackend(server.url(), table_name=table), age

    return store


def _redis(path):
    del path
    prefix = fresh_table()

    def age():
        import redis as driver

        with driver.Redis.from_url(redis.url(), decode_responses=True) as client:
            (key,) = [k for k in client.scan_iter(f"{prefix}*") if client.type(k) == "hash"]
            client.hset(key, "e", client.hget(key, "e").split()[0])

    return lambda: RedisBackend(redis.url(), prefix=prefix), age


def _mongodb(path):
    del path
    name = fresh_table()

    def age():
        client: MongoClient[Any]
        with MongoClient(mongodb.url()) as client:
            heads: Any = client.get_default_database("history_db")[name]
            assert heads.update_one({"_id": f"s:{S}"}, {"$unset": {"l": ""}}).modified_count == 1

    return lambda: MongoBackend(mongodb.url(), collection=name), age


def _file(path):
    def age():
        (log,) = path.glob("chats/*/*.log")
        lines = log.read_bytes().splitlines(keepends=True)
        assert b'"l":600' in lines[-1]
        head, *rows = lines[-1].decode().rstrip("\n").partition(" ")[2].split("\t")
        import json

        fields = json.loads(head)
        del fields["l"]
        log.write_bytes(b"".join(lines[:-1]) + render(fields, rows))

    return lambda: FileBackend(path / "chats"), age


STORES = {
    "sqlite": _sqlite,
    "postgres": _sql(postgres),
    "mysql": _sql(mysql),
    "redis": _redis,
    "mongodb": _mongodb,
    "file": _file,
}


@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_older_head_is_read_and_lives_at_least_as_long(store, tmp_path):
    open_store, age = store(tmp_path)
    backend = open_store()
    backend.commit(S, put=items("a"), ttl=600, now=NOW)
    backend.close()
    age()
    backend = open_store()
    try:
        assert ids(backend, S, now=NOW + 599) == ["a"]
        backend.commit(S, put=items("b"), ttl=60, now=NOW)  # of which ttl, nobody knows
        assert ids(backend, S, now=NOW + 599) == ["a", "b"]
        backend.commit(S, put=items("c"), ttl=60, now=NOW - 10)
        assert ids(backend, S, now=NOW + 599) == ["a", "b", "c"]
        backend.commit(S, put=items("d"), ttl=50, now=NOW)
        assert ids(backend, S, now=NOW + 50) == []
    finally:
        backend.close()
