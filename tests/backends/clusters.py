"""Clusters of a test's own, with replicas: what is done to one of these stays there."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from redis.crc import key_slot

from tests.servers import redis
from tests.servers.instances import fresh_table
from threadkeep.backends.redis import RedisBackend


@contextmanager
def private() -> Iterator[redis.Cluster]:
    """Three primaries with a replica each."""
    made = redis.Cluster(replicas=1)
    yield made
    made.remove()


@contextmanager
def opened(cluster: redis.Cluster, timeout: float = 20.0) -> Iterator[RedisBackend]:
    """A backend on it, of whose connections none may be left with a caller."""
    made = RedisBackend(cluster.url(), prefix=fresh_table(), timeout=timeout)
    yield made
    assert made.in_use == 0, "a connection was not given back"
    made.close()


def slot(backend: RedisBackend, stream: str) -> int:
    """The hash slot of a stream's keys."""
    return int(key_slot(backend._keys.of(stream)[0].encode()))


def until(true: Callable[[], bool]) -> None:
    """Wait for it, but not for ever."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def replicated(cluster: redis.Cluster, primary: redis.Redis) -> None:
    """Wait until its replica has all that it has now.

    Not by WAIT, which asks only for what was written by the connection that says it.
    """
    sent = primary.offset("master_repl_offset")
    replica = cluster.replica_of(primary)
    until(lambda: replica.offset("slave_repl_offset") >= sent)
