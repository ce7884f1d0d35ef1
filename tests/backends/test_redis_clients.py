"""Who talks to Redis: clients of the application's own, crowded pools, forked processes."""

import multiprocessing
import os

import pytest
import redis as driver

from tests.servers import redis
from tests.servers.instances import fresh_table
from threadkeep.backends.redis import RedisBackend
from threadkeep.errors import BackendTimeout
from threadkeep.testing.concurrency import run_in_threads
from threadkeep.testing.contract.common import NOW, ids, item, items, list_streams, sweep_all
from threadkeep.types import Query

S = "test/session/redis"
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


@pytest.fixture
def prefix():
    return fresh_table()


@pytest.fixture
def backend(prefix):
    made = RedisBackend(redis.url(), prefix=prefix)
    yield made
    assert made.in_use == 0, "a connection was not given back"
    made.close()


@pytest.mark.proves("C14")
@pytest.mark.parametrize("decode", [False, True])
def test_a_client_of_the_applications_own_stays_open(prefix, decode):
    with driver.Redis.from_url(redis.url(), decode_responses=decode) as client:
        own = RedisBackend(client=client, prefix=prefix)
        put = [item("ä", '"🙂"', expires=NOW + 60)]
        own.commit(S, put=put, ttl=60, now=NOW)
        pages = own.read(Query(S, "item"), Query(f"{S}2", "item"), now=NOW)
        assert [r.body for r in pages[0].records] == ['"🙂"']
        assert list_streams(own, "test/") == [S]
        assert sweep_all(own, NOW + 60) == 1
        own.close()
        assert client.ping()


def test_an_exhausted_pool_of_the_applications_own_says_so(prefix):
    pool = driver.BlockingConnectionPool.from_url(redis.url(), max_connections=1, timeout=0.05)
    with driver.Redis(connection_pool=pool) as client:
        held = pool.get_connection()
        try:
            with pytest.raises(BackendTimeout, match="max_connections"):
                RedisBackend(client=client, prefix=prefix, timeout=5).read(Query(S, "x"), now=NOW)
        finally:
            pool.release(held)


def test_seventy_threads_share_a_pool_of_sixteen(prefix):
    server = redis.Redis()
    own = RedisBackend(server.url(), pool_size=16)
    try:

        def write(n):
            for part in range(10):
                own.commit(S, put=items([f"{n}-{part}"]), now=NOW)

        run_in_threads(*[lambda n=n: write(n) for n in range(70)])
        assert len(ids(own, S)) == 700
        assert 1 <= str(server.run("CLIENT", "LIST")).count("name=threadkeep ") <= 16
    finally:
        own.close()
        server.remove()


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_parent_and_child_go_on_after_a_fork(backend):
    backend.commit(S, put=items("a"), now=NOW)

    def child():
        for n in range(50):
            backend.commit(S, put=items([f"child-{n}"]), now=NOW)
        assert "a" in ids(backend, S)
        backend.close()

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    for n in range(50):
        backend.commit(S, put=items([f"parent-{n}"]), now=NOW)
    process.join(30)
    assert process.exitcode == 0
    assert len(ids(backend, S)) == 101
