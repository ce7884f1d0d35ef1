"""A server that goes away and comes back: who waits, who is refused, and how soon all is well.

The network before each real server is cut by a proxy: connections are refused, or what is sent
disappears, as with a stopped process.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.backends.sql_servers import SERVERS as SERVERS_OF_SQL
from tests.durations import SLACK, Stalls, within
from tests.servers import mongodb, mysql, postgres, proxy, redis
from tests.servers.instances import fresh_table
from threadkeep import connect
from threadkeep.errors import BackendError

pytestmark = pytest.mark.slow

SERVERS: dict[str, tuple[Callable[[], str], int, str]] = {
    "postgres": (postgres.url, 5432, "table_name"),
    "mysql": (mysql.url, 3306, "table_name"),
    "redis": (redis.url, 6379, "prefix"),
    "mongodb": (mongodb.url, 27017, "collection"),
}


@contextmanager
def proxied(name: str, **options: Any) -> Iterator[tuple[proxy.Proxy, Any]]:
    """A proxy, and a memory that reaches its server through it and was used before."""
    get_url, port, option = SERVERS[name]
    url = make_url(get_url())
    with proxy.before(url.port or port, url.host or "127.0.0.1") as between:
        there = url.set(host="127.0.0.1", port=between.port)
        if name == "mongodb":
            there = there.update_query_dict({"directConnection": "true"})
        options = {option: fresh_table(), "connect_timeout": 2, **options}
        with connect(there.render_as_string(hide_password=False), **options) as memory:
            memory.session("chat", user="ada").add("before")
            yield between, memory


@pytest.fixture(params=SERVERS)
def service(request: pytest.FixtureRequest) -> Iterator[tuple[proxy.Proxy, Any]]:
    with proxied(request.param, timeout=20, pool_size=8) as opened:
        yield opened


def texts(memory: Any) -> list[str]:
    return [item.text for item in memory.session("chat", user="ada").items()]


def recovered(memory: Any) -> list[str]:
    """What is read as soon as a read succeeds; what the proxy swallowed was a lost connection."""
    end = time.monotonic() + 12
    while True:
        try:
            return texts(memory)
        except BackendError:
            assert time.monotonic() < end, "it does not recover"


@pytest.mark.proves("D10")
def test_reads_are_refused_in_two_seconds_and_writes_ride_it_out(service):
    between, memory = service
    between.refuse()
    with within(2), pytest.raises(BackendError):
        texts(memory)
    with within(1):
        assert not memory.check(timeout=1).ok
    with ThreadPoolExecutor(9) as pool:
        write = pool.submit(memory.session("chat", user="ada").add, "during")
        with within(2):
            refused = [pool.submit(texts, memory) for _ in range(8)]
            assert all(isinstance(read.exception(), BackendError) for read in refused)
        time.sleep(2)  # by now the outage is known to all
        for _ in range(3):  # one of them may be the one that asks
            with within(2), pytest.raises(BackendError):
                texts(memory)
        assert not write.done()
        between.take_calls()
        with within(3):
            write.result(5)
    with within(1):
        assert memory.check(timeout=1).ok
    assert texts(memory) == ["before", "during"]


@pytest.mark.proves("D10")
def test_read_whose_connection_is_cut_while_it_asks_is_refused_as_soon(service):
    """The driver takes the connection for a good one, so the read has begun and is repeated."""
    between, memory = service
    between.take_no_calls()
    between.cut("request")
    with within(2), pytest.raises(BackendError):
        texts(memory)
    assert not between.mended("request")


@pytest.mark.proves("D10")
def test_silent_server_is_known_after_one_probe(service):
    between, memory = service
    between.silent = True
    with within(1):
        assert not memory.check(timeout=1).ok
    with within(2.5), pytest.raises(BackendError):
        texts(memory)
    between.silent = False
    assert recovered(memory) == ["before"]


def test_read_of_a_server_that_falls_silent_does_not_wait_for_its_time_out(service):
    """A stopped process: connections stay open, and the kernel still takes new ones."""
    between, memory = service
    between.silent = True
    with within(2.3), pytest.raises(BackendError):
        texts(memory)
    with ThreadPoolExecutor(9) as pool:
        if "mongodb" not in repr(memory):  # pymongo waits for an answer that the proxy swallowed
            write = pool.submit(memory.session("chat", user="ada").add, "during")
        with within(2.3):
            refused = [pool.submit(texts, memory) for _ in range(8)]
            assert all(isinstance(read.exception(), BackendError) for read in refused)
        between.silent = False
        if "mongodb" in repr(memory):
            recovered(memory)
            write = pool.submit(memory.session("chat", user="ada").add, "during")
        with within(8):
            write.result(19)
    assert recovered(memory) == ["before", "during"]


def test_read_that_waits_for_a_lock_has_all_its_time():
    """The server lives, so a slow answer is no outage."""
    server, table = SERVERS_OF_SQL["postgres"](), fresh_table()
    engine = create_engine(server.engine_url)
    options = {"table_name": table, "timeout": 20}
    with connect(server.url, **options) as writer, connect(server.url, **options) as reader:
        writer.session("chat", user="ada").add("before")
        assert reader.session("other").items() == []
        with ThreadPoolExecutor(1) as pool:
            with engine.begin() as holder:
                holder.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
                read = pool.submit(texts, reader)
                time.sleep(3)
                assert not read.done()
            assert read.result(15) == ["before"]
    engine.dispose()


def test_total_limit_ends_a_write_of_a_store_that_is_down(service):
    between, memory = service
    between.refuse()
    with within(1.5), memory.timeout(1.5), pytest.raises(BackendError):
        memory.session("chat", user="ada").add("late")


async def outcomes(calls: list[Any]) -> list[tuple[float, Any]]:
    """Of all calls at once: when each ended, in seconds, and its result or error."""
    begun = time.monotonic()

    async def timed(call: Any) -> tuple[float, Any]:
        try:
            outcome = await call
        except BackendError as error:
            outcome = error
        return time.monotonic() - begun, outcome

    return await asyncio.gather(*map(timed, calls))


@pytest.mark.proves("D10")
@pytest.mark.parametrize("name", SERVERS)
def test_calls_that_wait_for_a_thread_share_one_time_out(name):
    """Four times as many writes as threads: none begins to wait anew; no read waits for them."""
    with proxied(name, timeout=4, pool_size=4) as (between, memory):
        chat = memory.session("chat", user="ada")
        between.refuse()
        writes = [chat.aadd(f"message {n}") for n in range(16)]
        with Stalls() as stalls:
            ended = asyncio.run(outcomes([*writes, *(chat.aitems() for _ in range(16))]))
    assert all(isinstance(outcome, BackendError) for _, outcome in ended)
    assert max(seconds for seconds, _ in ended[:16]) < 4 + SLACK + stalls.seconds
    assert max(seconds for seconds, _ in ended[16:]) < 2 + SLACK + stalls.seconds


def test_a_queue_before_a_healthy_store_is_no_outage():
    """Each call has all of its time-out once its turn has come, however many are waiting."""
    with connect(postgres.url(), table_name=fresh_table(), timeout=1, pool_size=1) as memory:
        chat = memory.session("chat", user="ada")
        chat.add("before")
        ended = asyncio.run(outcomes([chat.aadd(f"message {n}") for n in range(3_000)]))
        assert max(seconds for seconds, _ in ended) > 1
        assert [outcome for _, outcome in ended if isinstance(outcome, Exception)] == []


@pytest.mark.proves("D10")
def test_application_answers_its_probe_while_its_store_is_down(service):
    """As under a web server: handlers read and write by async verbs, a probe asks every second."""
    between, memory = service
    latencies: list[float] = []

    async def ready() -> bool:
        begun = time.monotonic()
        report = await memory.acheck(timeout=1)
        latencies.append(time.monotonic() - begun)
        return bool(report.ok)

    async def handle(number: int) -> bool:
        chat = memory.session("chat", user="ada")
        try:
            await (chat.aadd(f"message {number}") if number % 4 == 0 else chat.aitems())
        except BackendError:
            return False
        return True

    async def run() -> None:
        assert await ready()
        requests = [asyncio.create_task(handle(number)) for number in range(8)]
        between.refuse()
        requests += [asyncio.create_task(handle(number)) for number in range(8, 40)]
        assert [await ready() for _ in range(3)] == [False] * 3
        between.take_calls()
        answered = await asyncio.wait_for(asyncio.gather(*requests), 25)
        assert all(answered[::4]), "a write was not ridden out"
        end = time.monotonic() + 10
        while not await ready():
            assert time.monotonic() < end
        assert await handle(1)

    with Stalls() as stalls:
        asyncio.run(run())
    assert max(latencies) < 1 + SLACK + stalls.seconds
    assert not [t for t in threading.enumerate() if t.name == "threadkeep-check" and t.is_alive()]
