"""An interrupt (Ctrl-C, a notebook's stop button) keeps no later call out of SQLite or files.

The interpreter raises it between two lines of ours. So each line that a commit runs is interrupted
once, by a trace function; and real signals come at many times.
"""

import contextlib
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.backends.test_memory_interrupts import interrupted
from threadkeep.backends.file import FileBackend
from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.testing.contract.common import NOW, item
from threadkeep.types import Query

S = "test/session/interrupted"
TIMEOUT = 0.2
INTERRUPTS = int(os.environ.get("THREADKEEP_TEST_EXAMPLES", "400"))

STORES = {
    "sqlite": lambda folder: SqliteBackend(folder / "chat.db", timeout=TIMEOUT),
    "file": lambda folder: FileBackend(folder / "chats", timeout=TIMEOUT, fsync=False),
}


def write(store, id):
    return store.commit(S, put=[item(id)], now=NOW)


def ids(store):
    return [record.id for record in store.read(Query(S, "item"), now=NOW)[0].records]


@pytest.mark.parametrize("make", STORES.values(), ids=STORES)
def test_every_thread_can_write_after_an_interrupt_at_any_line(make, tmp_path):
    line_number, is_left = 0, True
    with ThreadPoolExecutor(1) as other_thread:
        while is_left:
            store = make(tmp_path / str(line_number))
            (tmp_path / str(line_number)).mkdir()
            write(store, "first")
            is_left = interrupted(store, lambda store: write(store, "cut"), line_number)
            write(store, "own")
            other_thread.submit(write, store, "other").result()
            assert [id for id in ids(store) if id != "cut"] == ["first", "own", "other"]
            assert getattr(store, "in_use", 0) == 0, f"line {line_number}"
            store.close()
            line_number += 1
    assert line_number > 20


@pytest.fixture
def alarm_interrupts():
    """A timer's signal is an interrupt, which no test runner handles otherwise."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("alarm_interrupts")
@pytest.mark.parametrize("location", ["chat.db", ":memory:"])
def test_real_interrupts_leak_no_connection_and_lose_no_memory(location, tmp_path):
    """As Ctrl-C: a signal at any time of a call; the pool has one connection, so none may leak."""
    store = SqliteBackend(tmp_path / location if location == "chat.db" else location, pool_size=1)
    write(store, "first")
    interrupted_count = 0
    for number in range(INTERRUPTS):
        with contextlib.suppress(KeyboardInterrupt):
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-6 + number % 97 * 2e-6)
                for id in "abc":
                    write(store, id)
                    store.read(Query(S, "item"), now=NOW)
            except KeyboardInterrupt:
                interrupted_count += 1
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        assert ids(store)[0] == "first"
        assert store.in_use == 0, f"after {interrupted_count} interrupts"
    assert interrupted_count > INTERRUPTS / 4
    store.close()
