"""One table of backends for all tests here; each test ends with nothing left open."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.servers import h2, mongodb, mysql, mysql9, pgbouncer, postgres, redis
from tests.servers.instances import fresh_table, promised
from threadkeep.backends.file import FileBackend
from threadkeep.backends.memory import MemoryBackend
from threadkeep.backends.mongodb import MongoBackend
from threadkeep.backends.redis import RedisBackend
from threadkeep.backends.sql import SqlBackend
from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.protocols import Backend

REQUIRED = promised()


class Store(NamedTuple):
    """How to open an empty store, and how to open it again (`None` = it cannot be)."""

    open: Callable[[], Backend]
    reopen: Callable[[], Backend] | None = None


def _memory(path: Path) -> Store:
    return Store(MemoryBackend)


def _file(path: Path) -> Store:
    open_folder = partial(FileBackend, path / "chats")
    return Store(open_folder, open_folder)


def _sqlite(path: Path) -> Store:
    open_file = partial(SqliteBackend, path / "chat.db", pool_size=20)
    return Store(open_file, open_file)


def _sqlite_memory(path: Path) -> Store:
    return Store(partial(SqliteBackend, ":memory:"))


def _postgres(path: Path) -> Store:
    open_tables = partial(SqlBackend, postgres.url(), table_name=fresh_table(), pool_size=20)
    return Store(open_tables, open_tables)


def _mysql(path: Path) -> Store:
    open_tables = partial(SqlBackend, mysql.url(), table_name=fresh_table(), pool_size=20)
    return Store(open_tables, open_tables)


def _mysql9(path: Path) -> Store:
    open_tables = partial(SqlBackend, mysql9.url(), table_name=fresh_table(), pool_size=20)
    return Store(open_tables, open_tables)


def _postgres18(path: Path) -> Store:
    open_tables = partial(SqlBackend, postgres.url18(), table_name=fresh_table(), pool_size=20)
    return Store(open_tables, open_tables)


def _pgbouncer(path: Path) -> Store:
    open_tables = partial(SqlBackend, pgbouncer.url(), table_name=fresh_table(), pool_size=20)
    return Store(open_tables, open_tables)


def _oracle(path: Path) -> Store:
    url = os.environ.get("THREADKEEP_TEST_ORACLE_URL")
    if url is None:
        pytest.skip("THREADKEEP_TEST_ORACLE_URL is not set: no Oracle to be had")
    open_tables = partial(SqlBackend, url, table_name=fresh_table(), pool_size=20)
    return Store(open_tables, open_tables)


def _oracle_on_h2(path: Path) -> Store:
    return Store(h2.opener(path))


def _redis(path: Path) -> Store:
    open_keys = partial(RedisBackend, redis.url(), prefix=fresh_table(), pool_size=20)
    return Store(open_keys, open_keys)


def _unpacked_redis(name: str, path: Path) -> Store:
    open_keys = partial(RedisBackend, redis.unpacked_url(name), prefix=fresh_table(), pool_size=20)
    return Store(open_keys, open_keys)


def _redis_cluster(path: Path) -> Store:
    open_keys = partial(RedisBackend, redis.cluster_url(), prefix=fresh_table(), pool_size=20)
    return Store(open_keys, open_keys)


def _mongodb(path: Path) -> Store:
    open_documents = partial(MongoBackend, mongodb.url(), collection=fresh_table(), pool_size=20)
    return Store(open_documents, open_documents)


# A server that is not there: pytest.skip("why"), which `needed` turns into a failure if promised.
STORES: dict[str, Callable[[Path], Store]] = {
    "memory": _memory,
    "file": _file,
    "sqlite": _sqlite,
    "sqlite-memory": _sqlite_memory,
    "postgres": _postgres,
    "mysql": _mysql,
    "mysql9": _mysql9,
    "postgres18": _postgres18,
    "pgbouncer": _pgbouncer,
    "redis": _redis,
    "redis8": partial(_unpacked_redis, "redis8"),
    "valkey9": partial(_unpacked_redis, "valkey9"),
    "redis-cluster": _redis_cluster,
    "mongodb": _mongodb,
    "oracle": _oracle,
    "oracle-on-h2": _oracle_on_h2,
}


@pytest.fixture
def run_python() -> Callable[[str], str]:
    """Runs a script in a Python of its own, and gives what it prints."""

    def run(script: str) -> str:
        command = [sys.executable, "-c", textwrap.dedent(script)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]
    with warnings.catch_warnings():  # oracledb leaves a socket that was cut off to the collector
        warnings.simplefilter("ignore", ResourceWarning)
        for thread in threading.enumerate():
            if thread.name == "threadkeep-connect":
                thread.join(10)
        gc.collect()


# What JayDeBeApi asks of JPype is out of fashion.
MARKS = {"oracle-on-h2": [pytest.mark.filterwarnings("ignore::DeprecationWarning")]}


@pytest.fixture(params=[pytest.param(name, marks=MARKS.get(name, [])) for name in STORES])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    name = request.param
    try:
        return STORES[name](tmp_path)
    except pytest.skip.Exception as skipped:
        if name in REQUIRED:
            pytest.fail(f"{name} was promised by THREADKEEP_TEST_REQUIRE: {skipped}")
        raise


@pytest.fixture
def backend(store: Store) -> Iterator[Backend]:
    before = open_files()
    backend = store.open()
    yield backend
    pool = getattr(backend, "_pool", None)
    assert pool is None or pool.in_use == 0, "a connection was not given back"
    backend.close()
    assert open_files() == before, "a file was left open"


@pytest.fixture
def reopen(store: Store) -> Callable[[], Backend] | None:
    return store.reopen


def open_files() -> set[str]:
    """Regular files this process has open, where the system can tell; not what Java looks up."""
    folder = Path("/proc/self/fd")
    if not folder.exists():
        return set()
    links = [_target(link) for link in folder.iterdir()]
    system = ("/dev/", "/sys/", "/proc/")
    return {name for name in links if name.startswith("/") and not name.startswith(system)}


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
