"""`memory.check` on real servers that are stopped, paused, killed, or a black hole."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from typing import Any

import pytest

import threadkeep
from tests.durations import within
from tests.servers import mongodb, mysql, postgres, redis
from tests.servers.signals import signal_all

SERVERS: dict[str, Any] = {
    "postgres": lambda: postgres.Postgres("fsync=off"),
    "mysql": mysql.MariaDB,
    "redis": redis.Redis,
    "mongodb": mongodb.Mongo,
}

pytestmark = pytest.mark.slow


@pytest.fixture(params=SERVERS, scope="module")
def server(request):
    server = SERVERS[request.param]()
    yield server
    server.instance.remove()


@pytest.fixture
def memory(server):
    with threadkeep.connect(server.url()) as memory:
        memory.session("c").add("Hello")
        yield memory


def checks(memory, timeout):
    """The reports of both colours, each in time."""
    with within(timeout):
        first = memory.check(timeout=timeout)
    with within(timeout):
        second = asyncio.run(memory.acheck(timeout=timeout))
    return first, second


def released(memory):
    """Wait until no check uses a connection any more. Returns True if that happened in time."""
    ends_at = time.monotonic() + 3
    while in_use := getattr(memory.backend, "in_use", 0):
        if time.monotonic() > ends_at:
            return False
        time.sleep(0.05)
    return not in_use


def recovered(memory):
    """Seconds until it is ready again."""
    started = time.monotonic()
    while not memory.check().ok:
        assert time.monotonic() - started < 10
    return time.monotonic() - started


def test_a_server_that_answers(memory):
    for report in checks(memory, 1.0):
        assert report.ok, report
        assert report.latency < 1
        assert any(character.isdigit() for character in report.version)
        assert "s3cret" not in repr(report)


def test_a_paused_server(server, memory):
    assert memory.check().ok
    signal_all(server, signal.SIGSTOP)
    try:
        for _ in range(3):
            for report in checks(memory, 0.3):
                assert not report.ok, report
                assert report.error
                assert "s3cret" not in repr(report)
        assert released(memory), "a check keeps its connection beyond its timeout"
    finally:
        signal_all(server, signal.SIGCONT)
    recovered(memory)
    assert memory.session("c").items()


def test_a_server_that_is_killed_and_comes_back(server, memory):
    assert memory.check().ok
    server.kill()
    for report in checks(memory, 0.5):
        assert not report.ok
        assert "s3cret" not in repr(report)
    server.start()
    recovered(memory)


def test_a_port_that_swallows_everything(server):
    with socket.create_server(("127.0.0.1", 0)) as hole:
        url = server.url().replace(str(server.port), str(hole.getsockname()[1]))
        with threadkeep.connect(url) as memory:
            for report in checks(memory, 0.3):
                assert not report.ok
                assert report.error


def test_a_port_where_nobody_listens(server):
    url = server.url().replace(str(server.port), "1")
    with threadkeep.connect(url) as memory:
        for report in checks(memory, 1.0):
            assert not report.ok
            assert report.error
            assert "127.0.0.1" in report.store
