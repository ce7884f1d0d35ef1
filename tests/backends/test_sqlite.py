"""What the SQLite backend promises beyond the contract: options, files, pool, plans, cost."""

import contextlib
import os
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from threadkeep.backends.sqlite import SqliteBackend, statements
from threadkeep.errors import BackendTimeout, ConfigError, Conflict
from threadkeep.types import Drop, Query, Record

NOW = 1_700_000_000.0
STREAM = "default/session/1"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "chat.db"


@pytest.fixture
def backend(path):
    with contextlib.closing(SqliteBackend(path)) as backend:
        yield backend


def items(*ids):
    return [Record("item", str(id), '"hello"', NOW) for id in ids]


@contextlib.contextmanager
def connection_of(backend):
    """The backend's own connection, as its next call would get it."""
    connection = backend._pool.acquire()
    yield connection
    backend._pool.release(connection)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("path", ["", ".", None, 5, "a\0b"]),
        ("pool_size", [0, -1, 1.5, "16", None, True]),
        ("timeout", [-1, float("nan"), float("inf"), "30", None, True]),
        ("synchronous", ["OFF", "normal", 1, None, "FULL; DROP TABLE threadkeep"]),
    ],
)
def test_a_wrong_option_is_refused_by_name(path, name, values):
    for value in values:
        with pytest.raises(ConfigError, match=name):
            SqliteBackend(**{"path": path, name: value})


def test_nothing_is_opened_before_the_first_use(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    backend = SqliteBackend("chat.db")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.chdir("/")
    backend.commit(STREAM, put=items("a"), now=NOW)
    backend.close()
    assert [file.name for file in tmp_path.iterdir()] == ["chat.db"]
    assert repr(backend) == f"SqliteBackend('{tmp_path}/chat.db')"


def test_after_close_there_is_one_file_with_everything_in_it(path, backend):
    backend.commit(STREAM, put=items("a"), now=NOW)
    assert len(list(path.parent.iterdir())) == 3
    backend.close()
    assert [file.name for file in path.parent.iterdir()] == ["chat.db"]
    with contextlib.closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT id FROM threadkeep").fetchall() == [("a",)]


@pytest.mark.parametrize(("synchronous", "level"), [("NORMAL", 1), ("FULL", 2)])
def test_each_connection_is_as_durable_as_was_asked(path, synchronous, level):
    backend = SqliteBackend(path, synchronous=synchronous)
    for _ in range(2):
        with connection_of(backend) as one, connection_of(backend) as two:
            for connection in (one, two):
                assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
                assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
                assert connection.execute("PRAGMA busy_timeout").fetchone() == (30_000,)
    backend.close()


def test_a_restored_dump_is_ours(path, backend, tmp_path):
    backend.commit(STREAM, put=items("a"), now=NOW)
    copy = tmp_path / "copy.db"
    with (
        contextlib.closing(sqlite3.connect(path)) as old,
        contextlib.closing(sqlite3.connect(copy)) as new,
    ):
        new.executescript("\n".join(old.iterdump()))
    with contextlib.closing(SqliteBackend(copy)) as restored:
        (page,) = restored.read(Query(STREAM, "item"), now=NOW)
        assert [record.id for record in page.records] == ["a"]
        assert restored.commit(STREAM, put=items("b"), now=NOW).seqs == [2]


def test_two_objects_in_memory_are_two_stores():
    one, two = SqliteBackend(":memory:"), SqliteBackend(Path(":memory:"))
    one.commit(STREAM, put=items("a"), now=NOW)
    assert two.read(Query(STREAM, "item"), now=NOW) == [(0, [])]
    assert not Path(":memory:").exists()
    one.close()
    two.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_in_memory_a_forked_child_goes_on_with_a_copy():
    with contextlib.closing(SqliteBackend(":memory:")) as backend:
        backend.commit(STREAM, put=items("a"), now=NOW)
        if (child := os.fork()) == 0:
            backend.commit(STREAM, put=items("b"), now=NOW)
            (page,) = backend.read(Query(STREAM, "item"), now=NOW)
            os._exit(0 if len(page.records) == 2 else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert len(backend.read(Query(STREAM, "item"), now=NOW)[0].records) == 1


def test_calls_one_after_the_other_share_one_connection(backend):
    for n in range(20):
        thread = threading.Thread(
            target=backend.commit, args=(STREAM,), kwargs={"put": items(n), "now": NOW}
        )
        thread.start()
        thread.join()
    assert (backend._pool.idle, backend.in_use) == (1, 0)


def test_a_pool_that_is_used_up_says_what_to_raise(path):
    backend = SqliteBackend(path, pool_size=2, timeout=0.5)
    says = r"all 2 connections.*0\.5 s.*`pool_size`"
    with (
        connection_of(backend),
        connection_of(backend),
        pytest.raises(BackendTimeout, match=says),
    ):
        backend.read(Query(STREAM, "item"), now=NOW)
    backend.commit(STREAM, put=items("a"), now=NOW)
    backend.close()


def test_a_connection_that_comes_back_after_close_is_closed(path, backend):
    backend.commit(STREAM, put=items("a"), now=NOW)
    with connection_of(backend) as connection:
        backend.close()
        connection.execute("SELECT 1")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
    assert [file.name for file in path.parent.iterdir()] == ["chat.db"]


def test_a_sweep_looks_again_once_it_has_the_lock(path, backend):
    """The trap: what was found dead is put again by another before the sweep may write."""
    mortal = [Record("item", "mortal", "1", NOW, expires=NOW + 60)]
    backend.commit("default/session/dead", put=items("old"), ttl=60, now=NOW)
    backend.commit(STREAM, put=mortal, now=NOW)
    other = SqliteBackend(path)

    def put_again(statement):
        if statement == statements.BEGIN_WRITE:
            other.commit("default/session/dead", put=items("new"), ttl=60, now=NOW + 60)
            other.commit(STREAM, put=items("mortal"), now=NOW + 59)  # a clock that is behind

    with connection_of(backend) as connection:
        connection.set_trace_callback(put_again)
    assert backend.sweep(NOW + 60) == 0
    other.close()
    pages = backend.read(
        *(Query(s, "item") for s in ("default/session/dead", STREAM)), now=NOW + 61
    )
    assert [[record.id for record in page.records] for page in pages] == [["new"], ["mortal"]]


KEY = "USING PRIMARY KEY (sid=? AND kind=?"
BY_NAME = "SEARCH threadkeep_streams USING INDEX sqlite_autoindex_threadkeep_streams_1 (stream=?)"
BY_ID = "USING INDEX threadkeep_id (sid=? AND kind=? AND id=?"


@pytest.mark.parametrize(
    ("statement", "plan"),
    [
        (
            statements.HEAD,
            BY_NAME,
        ),
        (
            statements.LIVE,
            BY_NAME,
        ),
        (statements.ADVANCE, "SEARCH threadkeep_streams USING INTEGER PRIMARY KEY (rowid=?)"),
        (statements.TOUCH, "SEARCH threadkeep_streams USING INTEGER PRIMARY KEY (rowid=?)"),
        (statements.OLDEST, f"SEARCH threadkeep {KEY} AND seq>? AND seq<?)"),
        (statements.NEWEST, f"SEARCH threadkeep {KEY} AND seq>? AND seq<?)"),
        (statements.OLDEST_IDS, f"SEARCH threadkeep {BY_ID}"),
        (statements.NEWEST_IDS, f"SEARCH threadkeep {BY_ID}"),
        (statements.FIND, f"SEARCH threadkeep {BY_ID}"),
        (statements.REPLACE, f"SEARCH threadkeep {KEY} AND seq=?)"),
        (statements.DROP_RANGE, f"SEARCH threadkeep {KEY} AND seq<?)"),
        (statements.DROP_IDS, f"SEARCH threadkeep {BY_ID}"),
        (statements.DROP_ALL, "SEARCH threadkeep USING INDEX threadkeep_id (sid=?"),
        (statements.DEAD_RECORDS, "SEARCH threadkeep USING INDEX threadkeep_expires (expires<?)"),
    ],
)
def test_each_hot_statement_uses_its_key_on_a_database_never_analysed(backend, statement, plan):
    backend.commit(STREAM, put=items("a"), now=NOW)
    with connection_of(backend) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", [1] * statement.count("?"))
        steps = [row[3].replace("COVERING ", "") for row in rows]
    assert steps[0].startswith(plan)


@pytest.mark.parametrize(
    "act",
    [
        lambda backend, n: backend.commit(STREAM, put=items(f"{n}x", f"{n}y"), now=NOW),
        lambda backend, n: backend.commit(STREAM, put=items(1), now=NOW),
        lambda backend, n: backend.commit(
            STREAM, drop=[Drop("item", [str(n - 1)])], put=items(n - 1), now=NOW
        ),
        lambda backend, n: backend.read(
            Query(STREAM, "session", 1), Query(STREAM, "item", 64, newest=True), now=NOW
        ),
        lambda backend, n: backend.read(Query(STREAM, "item", ids=["1", "7"]), now=NOW),
    ],
    ids=["append", "put again", "move", "window", "by ids"],
)
def test_the_work_of_a_call_does_not_grow_with_the_stream(backend, act):
    """Counted in steps of SQLite's machine, which no noisy neighbour can change."""
    costs = []
    for start, end in ((0, 100), (100, 5_000)):
        for at in range(start, end, 1000):
            backend.commit(STREAM, put=items(*range(at, min(at + 1000, end))), now=NOW)
        steps: list[None] = []
        with connection_of(backend) as connection:
            connection.set_progress_handler(partial(steps.append, None), 1)
        act(backend, end)
        with connection_of(backend) as connection:
            connection.set_progress_handler(None, 1)
        costs.append(len(steps))
    assert costs[1] <= costs[0] * 1.1


@pytest.mark.parametrize("meanwhile", ["wrote", "deleted", "expired", "another took its row"])
def test_where_a_stream_was_left_is_not_taken_for_where_it_is(path, backend, meanwhile):
    first = backend.commit(STREAM, put=items("a"), expect=0, token="t0", ttl=100, now=NOW)
    left = backend.commit(
        STREAM, put=items("b"), expect=first.version, token="t1", ttl=100, now=NOW
    )
    later = NOW + 1
    with contextlib.closing(SqliteBackend(path)) as other:
        if meanwhile == "wrote":
            other.commit(STREAM, put=items("c"), now=later)
        elif meanwhile == "expired":
            later = NOW + 200
        else:
            other.commit(STREAM, drop=[Drop()], now=later)
        if meanwhile == "another took its row":
            other.commit("default/session/2", put=items("x", "y"), now=later)
    with pytest.raises(Conflict):
        backend.commit(STREAM, put=items("d"), expect=left.version, token="t2", now=later)
    there = [
        record.id
        for stream in (STREAM, "default/session/2")
        for record in backend.read(Query(stream, "item"), now=later)[0].records
    ]
    kept = {"wrote": ["a", "b", "c"], "another took its row": ["x", "y"]}
    assert there == kept.get(meanwhile, [])


def test_a_commit_that_is_sent_again_by_its_token_is_not_done_twice(backend):
    first = backend.commit(STREAM, put=items("a"), expect=0, token="t0", now=NOW)
    for _ in range(2):
        done = backend.commit(STREAM, put=items("b"), expect=first.version, token="t1", now=NOW)
        assert done == (first.version + 1, [2])
    after = backend.commit(STREAM, put=items("c"), expect=done.version, token="t2", now=NOW)
    assert after == (first.version + 2, [3])


def test_a_new_file_may_be_begun_by_many_at_once(tmp_path):
    """Switching to WAL is refused at once where another one does it, whatever the time-out."""
    with ThreadPoolExecutor(8) as threads:
        for round_ in range(60):
            path, barrier = tmp_path / f"{round_}.db", threading.Barrier(8)

            def first(path=path, barrier=barrier):
                backend = SqliteBackend(path, timeout=10)
                barrier.wait(10)
                backend.read(Query("s", "item"), now=1.0)
                backend.close()

            for begun in [threads.submit(first) for _ in range(8)]:
                begun.result()


def test_a_new_file_that_another_program_holds_is_waited_for_as_long_as_said(tmp_path):
    holder = sqlite3.connect(tmp_path / "chat.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    begun = time.monotonic()
    with pytest.raises(BackendTimeout, match=r"not done within 0\.3 s \(locked by others\)"):
        SqliteBackend(tmp_path / "chat.db", timeout=0.3).read(Query("s", "item"), now=1.0)
    assert time.monotonic() - begun >= 0.2
    holder.close()
