"""An interrupt (Ctrl-C, a notebook's stop button) keeps no later write out of SQLite or files.

The interpreter raises it between two lines of ours. So each line that a commit runs is interrupted
once, by a trace function.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.backends.test_memory_interrupts import interrupted
from threadkeep.backends.file import FileBackend
from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.testing.contract.common import NOW, item
from threadkeep.types import Query

S = "test/session/interrupted"
TIMEOUT = 0.2

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
            store.close()
            line_number += 1
    assert line_number > 20
