"""Each store under clients that are killed and stopped, with clocks apart and servers restarted.

Seconds per store; with THREADKEEP_SOAK, as `make soak` sets it, ten minutes
(THREADKEEP_LINEARIZABILITY_SECONDS). THREADKEEP_LINEARIZABILITY_LOGS names a folder for the logs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.linearizability.run import Run, assert_linearizable
from tests.servers import haproxy, mongodb, mysql, mysql9, pgbouncer, postgres, redis
from tests.servers.instances import fresh_table, promised

SOAK = "THREADKEEP_SOAK" in os.environ
pytestmark = [pytest.mark.slow, *([pytest.mark.soak] if SOAK else [])]
SECONDS = float(os.environ.get("THREADKEEP_LINEARIZABILITY_SECONDS", "600" if SOAK else "2"))
SEED = int(os.environ.get("THREADKEEP_LINEARIZABILITY_SEED", "1"))


class Target(NamedTuple):
    """A store's URL, and how its server is killed and started again, if it may be."""

    url: str
    restart: Callable[[], None] | None = None


Server = (
    postgres.Postgres | mysql.MariaDB | redis.Redis | mongodb.Mongo
    | pgbouncer.PgBouncer | haproxy.HaProxy
)  # fmt: skip


def _restarting(server: Server) -> Callable[[], None]:
    def restart() -> None:
        server.kill()
        server.start()

    return restart


def _postgres(path: Path) -> Target:
    server = postgres.Postgres()  # no setting that trades what was acknowledged for speed
    return Target(f"{server.url()}?table_name={fresh_table()}", _restarting(server))


def _pgbouncer(path: Path) -> Target:
    pooler = pgbouncer.PgBouncer(postgres.shared())
    return Target(f"{pooler.url()}?table_name={fresh_table()}", _restarting(pooler))


def _haproxy(path: Path) -> Target:
    proxy = haproxy.HaProxy(postgres.shared())
    return Target(f"{proxy.url()}?table_name={fresh_table()}", _restarting(proxy))


def _mysql(path: Path) -> Target:
    server = mysql.MariaDB()
    return Target(f"{server.url()}?table_name={fresh_table()}", _restarting(server))


def _redis(path: Path) -> Target:
    server = redis.Redis("--appendonly", "yes", "--appendfsync", "always")
    return Target(f"{server.url()}?prefix={fresh_table()}", _restarting(server))


def _mongodb(path: Path) -> Target:
    server = mongodb.Mongo(durable=True)
    url = f"{server.url()}/chat?journal=true&collection={fresh_table()}"
    return Target(url, _restarting(server))


TARGETS: dict[str, Callable[[Path], Target]] = {
    "file": lambda path: Target(f"file://{path}/chats"),
    "sqlite": lambda path: Target(f"sqlite:///{path}/chat.db"),
    "postgres": _postgres,
    "postgres18": lambda path: Target(f"{postgres.url18()}?table_name={fresh_table()}"),
    "pgbouncer": _pgbouncer,
    "haproxy": _haproxy,
    "mysql": _mysql,
    "mysql9": lambda path: Target(f"{mysql9.url()}?table_name={fresh_table()}"),
    "redis": _redis,
    "redis8": lambda path: Target(f"{redis.unpacked_url('redis8')}?prefix={fresh_table()}"),
    "valkey9": lambda path: Target(f"{redis.unpacked_url('valkey9')}?prefix={fresh_table()}"),
    "redis-cluster": lambda path: Target(f"{redis.cluster_url()}?prefix={fresh_table()}"),
    "mongodb": _mongodb,
}


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Target]]:
    name = request.param
    try:
        yield name, TARGETS[name](tmp_path)
    except pytest.skip.Exception as skipped:
        if name in promised():
            pytest.fail(f"{name} was promised by THREADKEEP_TEST_REQUIRE: {skipped}")
        raise


@pytest.mark.proves("D11")
def test_one_order_explains_what_all_clients_saw(
    target: tuple[str, Target], tmp_path: Path
) -> None:
    name, store = target
    logs = tmp_path / "logs"
    logs.mkdir()
    run = Run(store.url, logs, "lin/session", SECONDS, SEED, store.restart)
    try:
        figures = assert_linearizable(run.operations())
    finally:
        _keep(name, logs)
    answered = figures["operations"] - figures["without an answer"]
    print(f"{name}: {figures}, trouble: {dict(run.trouble)}")
    assert answered > 3 * SECONDS  # else nothing was tried
    assert sum(run.trouble.values()) > 0


def _keep(name: str, logs: Path) -> None:
    """Copy the logs to where the environment wants them."""
    if folder := os.environ.get("THREADKEEP_LINEARIZABILITY_LOGS"):
        shutil.copytree(logs, Path(folder) / name, dirs_exist_ok=True)
