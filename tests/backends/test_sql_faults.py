"""What a SQL server's faults do: nothing acknowledged is lost, errors are clear and in time."""

import threading
import time
from functools import partial
from typing import Any

import pytest

from tests.backends.sql_servers import SERVERS, fresh_table
from tests.backends.sql_stores import opened
from tests.durations import within
from tests.servers import mysql, postgres
from tests.servers.instances import free_port
from threadkeep.backends.sql import SqlBackend
from threadkeep.backends.sql.schema import VERSION
from threadkeep.errors import BackendError, BackendTimeout
from threadkeep.testing.concurrency import run_in_threads
from threadkeep.types import Query, Record

NOW = 1_700_000_000.0
S = "test/session/faults"
QUERY = Query(S, "item")
PRIVATE: dict[str, Any] = {"postgres": postgres.Postgres, "mysql": mysql.MariaDB}
HOLD = "SELECT * FROM {0}_streams FOR UPDATE"


def item(id):
    return Record("item", str(id), "{}", NOW)


@pytest.fixture(params=SERVERS)
def server(request):
    return SERVERS[request.param]()


@pytest.fixture(params=PRIVATE)
def private(request):
    made = PRIVATE[request.param]()
    yield made
    made.instance.remove()


@pytest.mark.slow
def test_killed_and_restarted_in_mid_write_nothing_acknowledged_is_lost(private):
    with opened(private.url(), pool_size=8, timeout=20) as backend:
        backend.commit(S, put=[item("first")], now=NOW)
        stop = threading.Event()

        def write(writer):
            told: list[Any] = []
            while not stop.is_set():
                batch = [item(f"{writer}-{len(told)}-{part}") for part in range(2)]
                told.append((batch, backend.commit(S, put=batch, now=NOW)))
            return told

        def disturb():
            try:
                for _ in range(2):
                    time.sleep(0.5)
                    private.kill()
                    time.sleep(0.2)
                    private.start()
                time.sleep(0.5)
            finally:
                stop.set()

        *written, _ = run_in_threads(*(partial(write, n) for n in range(6)), disturb)
        (page,) = backend.read(QUERY, now=NOW)
    stored = {record.id: record.seq for record in page.records}
    assert len(stored) == len(page.records)
    for batch, done in (one for told in written for one in told):
        assert [stored.get(record.id) for record in batch] == done.seqs
    ids = set(stored) - {"first"}
    told = {record.id for written_ in written for batch, _ in written_ for record in batch}
    assert ids == told, "every call was answered in the end, so nothing else is there"


def test_a_server_that_is_gone_is_a_clear_error_in_time(private):
    with opened(private.url(), timeout=3) as backend:
        backend.commit(S, put=[item("a")], now=NOW)
        private.kill()
        with within(4.5), pytest.raises(BackendError, match="database") as caught:
            backend.commit(S, put=[item("b")], now=NOW)
        assert "127.0.0.1" in str(caught.value)
        private.start()
        backend.commit(S, put=[item("c")], now=NOW)
        assert [record.id for record in backend.read(QUERY, now=NOW)[0].records] == ["a", "c"]


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_where_nobody_listens_the_error_comes_at_once(scheme):
    refused = pytest.raises(BackendError, match="check host, port and whether the server runs")
    with opened(f"{scheme}://ada:pw@127.0.0.1:{free_port()}/x") as backend, within(5), refused:
        backend.read(QUERY, now=NOW)


@pytest.mark.proves("B46")
@pytest.mark.parametrize("how", ["connect_timeout", "timeout"])
@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_port_that_takes_calls_and_stays_silent_does_not_hang(scheme, how, silent_port):
    limit = "?connect_timeout=1" if how == "connect_timeout" else ""
    url = f"{scheme}://ada:pw@127.0.0.1:{silent_port}/x{limit}"
    options = {"timeout": 30 if limit else 1}
    with opened(url, **options) as backend, within(4), pytest.raises(BackendTimeout):
        backend.read(QUERY, now=NOW)


@pytest.mark.proves("B44")
def test_waiting_for_a_connection_has_a_time_out_with_a_clear_error(server):
    table = fresh_table()
    with (
        opened(server.url, table_name=table, pool_size=1, timeout=30) as patient,
        opened(server.url, table_name=table, pool_size=2, timeout=1) as backend,
    ):
        patient.commit(S, put=[item("a")], now=NOW)
        backend.read(QUERY, now=NOW)
        with server.held(HOLD.format(table)), within(4):
            failed = run_in_threads(*[partial(_refused, backend)] * 12)
        assert sum("connections were in use for 1 s: raise `pool_size`" in f for f in failed) >= 1
        backend.commit(S, put=[item("b")], now=NOW)
        (page,) = backend.read(QUERY, now=NOW)
        assert [record.id for record in page.records] == ["a", "b"]


def _refused(backend):
    with pytest.raises(BackendTimeout) as caught:
        backend.commit(S, put=[item("never")], now=NOW)
    return str(caught.value)


def test_a_commit_that_waits_for_a_lock_past_the_time_out_is_never_written(server):
    table = fresh_table()
    with opened(server.url, table_name=table) as patient:
        patient.commit(S, put=[item("a")], now=NOW)
        with (
            server.held(HOLD.format(table)),
            opened(server.url, table_name=table, timeout=1) as backend,
        ):
            assert "not done within 1 s" in _refused(backend)
        time.sleep(0.3)  # the server would have finished by now what it still waited for
        (page,) = patient.read(QUERY, now=NOW)
        assert [record.id for record in page.records] == ["a"]


def test_connections_that_the_server_ended_are_replaced_unseen(server):
    with opened(server.url, pool_size=4) as backend:
        run_in_threads(*[partial(backend.commit, S, put=[item("a")], now=NOW)] * 4)
        server.end_connections()
        for n in range(6):
            backend.commit(S, put=[item(n)], now=NOW)
        assert len(backend.read(QUERY, now=NOW)[0].records) == 7


def test_a_newer_schema_is_refused_and_left_as_it_is(server):
    table = fresh_table()
    with opened(server.url, table_name=table) as backend:
        backend.commit(S, put=[item("a")], now=NOW)
    server.run(f"UPDATE {table}_meta SET version = {VERSION + 1}")
    says = f"schema version {VERSION + 1}, this threadkeep knows {VERSION}: upgrade"
    with opened(server.url, table_name=table) as backend, pytest.raises(BackendError, match=says):
        backend.read(QUERY, now=NOW)
    assert server.run(f"SELECT version FROM {table}_meta") == [(VERSION + 1,)]


@pytest.mark.parametrize("which", ["{}", "{}_streams", "{}_meta"])
def test_tables_of_another_program_are_refused_and_left_as_they_are(server, which):
    table = fresh_table()
    server.run(f"CREATE TABLE {which.format(table)} (text VARCHAR(20))")
    before = server.tables(table)
    with (
        opened(server.url, table_name=table) as backend,
        pytest.raises(BackendError, match=r"not threadkeep's.*another table_name"),
    ):
        backend.commit(S, put=[item("a")], now=NOW)
    assert server.tables(table) == before


def test_tables_that_vanish_are_an_error_that_says_so(server):
    table = fresh_table()
    with opened(server.url, table_name=table) as backend:
        backend.commit(S, put=[item("a")], now=NOW)
        server.run(f"DROP TABLE {table}")
        with pytest.raises(BackendError, match="the tables are gone"):
            backend.commit(S, put=[item("a")], now=NOW)


def test_many_processes_and_threads_make_the_tables_at_once(server):
    table = fresh_table()
    backends = [SqlBackend(server.url, table_name=table, pool_size=2) for _ in range(6)]
    calls = (partial(b.commit, S, put=[item(n)], now=NOW) for n, b in enumerate(backends * 2))
    run_in_threads(*calls)
    assert len(backends[0].read(QUERY, now=NOW)[0].records) == 12
    for backend in backends:
        backend.close()


@pytest.mark.parametrize("gone", [[], [""], ["", "_streams"], ["_meta"]])
def test_an_interrupted_making_of_the_tables_is_finished_by_the_next(server, gone):
    table = fresh_table()
    with opened(server.url, table_name=table) as backend:
        backend.commit(S, put=[item("a")], now=NOW)
    for name in gone:
        server.run(f"DROP TABLE {table}{name}")
    if "_meta" not in gone:
        server.run(f"DELETE FROM {table}_meta")
    with opened(server.url, table_name=table) as backend:
        backend.commit(S, put=[item("b")], now=NOW)
        assert "b" in [record.id for record in backend.read(QUERY, now=NOW)[0].records]


def test_seventy_threads_on_a_pool_of_sixteen(server):
    with opened(server.url, pool_size=16) as backend:
        calls = [
            partial(backend.commit, f"{S}/{n % 9}", put=[item(f"{n}")], now=NOW) for n in range(70)
        ]
        run_in_threads(*calls)
        queries = [Query(f"{S}/{n}", "item") for n in range(9)]
        assert sum(len(page.records) for page in backend.read(*queries, now=NOW)) == 70


def test_no_thread_is_left_after_close(server):
    before = {thread.name for thread in threading.enumerate()}
    with opened(server.url) as backend:
        backend.commit(S, put=[item("a")], now=NOW)
    after = {thread.name for thread in threading.enumerate()}
    assert after <= before
