"""A process that forks: both sides go on with a SQL server, whatever other threads were doing."""

import contextlib
import faulthandler
import os
import threading
import time
import traceback
from functools import partial

import pytest

from tests.backends.sql_servers import SERVERS, fresh_table
from tests.backends.sql_stores import opened
from tests.durations import within
from threadkeep.errors import BackendTimeout
from threadkeep.testing.concurrency import run_in_threads
from threadkeep.types import Query, Record

NOW = 1_700_000_000.0
S = "test/session/forks"
QUERY = Query(S, "item")
HOLD = "SELECT * FROM {0}_streams FOR UPDATE"
PATIENCE = 20.0

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),  # on purpose among threads
]


@pytest.fixture(params=SERVERS)
def server(request):
    return SERVERS[request.param]()


@contextlib.contextmanager
def child(work):
    """Run it in a forked child, beside the block; one that hangs prints where, and is ended."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            faulthandler.dump_traceback_later(PATIENCE, exit=True)
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    try:
        yield
    finally:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code == 0, "the child failed or hung: see what it printed"


def write(backend, who, count=1):
    for n in range(count):
        backend.commit(S, put=[Record("item", f"{who}-{n}", "{}", NOW)], now=NOW)


def stored(backend):
    return len(backend.read(QUERY, now=NOW)[0].records)


def test_after_a_fork_both_sides_write_and_nothing_is_lost(server):
    with opened(server.url, pool_size=4) as backend:
        run_in_threads(*[partial(write, backend, "before")] * 4)
        with child(partial(write, backend, "child", 10)):
            write(backend, "parent", 10)
        assert stored(backend) == 21


def test_forked_child_keeps_the_deadline_of_its_calls(server):
    table = fresh_table()
    with opened(server.url, table_name=table, timeout=1) as backend:
        write(backend, "before")  # starts the thread that ends late calls

        def refused():
            with pytest.raises(BackendTimeout):
                write(backend, "never")

        with server.held(HOLD.format(table)), within(5), child(refused):
            pass


def test_no_child_inherits_a_lock_of_a_library_from_a_thread_that_connects(server):
    """As those of OpenSSL, name look-ups and imports, which nothing could free there."""
    with opened(server.url, timeout=PATIENCE + 10) as backend:
        write(backend, "before")
        lock, locked = threading.Lock(), threading.Event()
        connect = backend._database.dialect.connect

        def connect_with_lock(*args):
            with lock:
                locked.set()
                time.sleep(0.2)
                return connect(*args)

        backend._database.dialect.connect = connect_with_lock
        backend._pool.distrust()
        thread = threading.Thread(target=write, args=(backend, "parent"))
        thread.start()
        assert locked.wait(PATIENCE)
        with child(partial(write, backend, "child")):
            thread.join()
        assert stored(backend) == 3


def test_child_does_not_wait_for_a_thread_that_was_preparing_the_tables(server):
    with opened(server.url, timeout=PATIENCE + 10) as backend:
        prepare, preparing, forked = backend._database.prepare, threading.Event(), threading.Event()

        def wait_and_prepare(*args):
            if threading.current_thread() is thread:
                preparing.set()
                assert forked.wait(PATIENCE)
            prepare(*args)

        backend._database.prepare = wait_and_prepare
        thread = threading.Thread(target=write, args=(backend, "parent"))
        thread.start()
        assert preparing.wait(PATIENCE)
        with child(partial(write, backend, "child")):
            forked.set()
            thread.join()
        assert stored(backend) == 2


def test_children_of_a_process_whose_threads_connect_all_the_time(server):
    table = fresh_table()
    with opened(server.url, table_name=table, pool_size=4) as backend:
        write(backend, "before")
        stop = threading.Event()

        def reconnect():
            while not stop.is_set():
                with opened(server.url, table_name=table, pool_size=1) as other:
                    stored(other)

        def fork_often():
            try:
                for n in range(25):
                    with child(partial(write, backend, f"child-{n}")):
                        pass
            finally:
                stop.set()

        run_in_threads(reconnect, reconnect, reconnect, fork_often)
        assert stored(backend) == 26
