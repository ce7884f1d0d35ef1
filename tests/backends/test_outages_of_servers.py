"""A server whose process is killed or stopped, and goes on: as `test_outages`, without a proxy."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from tests.durations import within
from tests.servers import mongodb, mysql, postgres, redis
from tests.servers.signals import signal_all
from threadkeep import Memory, connect
from threadkeep.errors import BackendError

pytestmark = pytest.mark.slow

SERVERS: dict[str, Any] = {
    "postgres": postgres.Postgres,
    "mysql": mysql.MariaDB,
    "redis": lambda: redis.Redis("--appendonly", "yes", "--appendfsync", "always"),
    "mongodb": lambda: mongodb.Mongo(durable=True),
}
TIMEOUT = 30.0  # seconds that a write waits for its store
RESTART = 20.0  # seconds that a server may need to be back


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Any]:
    private_server = SERVERS[request.param]()
    yield private_server
    private_server.instance.remove()


@pytest.fixture
def memory(server: Any) -> Iterator[Memory]:
    url = server.url()
    if isinstance(server, mongodb.Mongo):
        url += "/?journal=true"
    with connect(url, timeout=TIMEOUT, connect_timeout=2) as memory:
        memory.session("chat", user="ada").add("before")
        yield memory


def texts(memory: Memory) -> list[str]:
    return [item.text for item in memory.session("chat", user="ada").items()]


def assert_down(memory: Memory) -> None:
    """A probe and eight reads at once are refused in bounded time."""
    with within(1):
        assert not memory.check(timeout=1).ok
    with within(2.5), ThreadPoolExecutor(8) as pool:
        reads = [pool.submit(texts, memory) for _ in range(8)]
        assert all(isinstance(read.exception(), BackendError) for read in reads)


def assert_recovers(memory: Memory, expected: list[str]) -> None:
    """Without a new connection by hand: probe, reads and writes."""
    ends_at = time.monotonic() + RESTART
    while not memory.check(timeout=1).ok:
        assert time.monotonic() < ends_at, "the probe does not recover"
    while True:
        with suppress(BackendError):
            assert texts(memory) == expected
            break
        assert time.monotonic() < ends_at, "reads do not recover"
    memory.session("chat", user="ada").add("after")
    assert texts(memory) == [*expected, "after"]


@pytest.mark.proves("D10")
def test_write_rides_out_a_kill_and_no_acknowledged_message_is_lost(server, memory):
    server.kill()
    assert_down(memory)
    with ThreadPoolExecutor(1) as pool:
        write = pool.submit(memory.session("chat", user="ada").add, "during")
        time.sleep(1)
        assert not write.done(), write.exception()
        server.start()
        write.result(TIMEOUT)
    assert_recovers(memory, ["before", "during"])


@pytest.mark.proves("D10")
def test_server_that_is_stopped_is_known_and_goes_on(server, memory):
    signal_all(server, signal.SIGSTOP)
    try:
        assert_down(memory)
    finally:
        signal_all(server, signal.SIGCONT)
    assert_recovers(memory, ["before"])
