"""What SQLite does when the world is unkind: nothing acknowledged is lost, and errors are clear."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.backends import sqlite_child
from tests.backends.sqlite_child import NOW, STREAM, batch
from threadkeep import connect
from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.backends.sqlite.schema import APPLICATION_ID, VERSION
from threadkeep.errors import BackendError, BackendTimeout
from threadkeep.types import Query, Record

pytestmark = pytest.mark.slow

QUERY = Query(STREAM, "item")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "chat.db"


@contextlib.contextmanager
def opened(path, **options):
    backend = SqliteBackend(path, **options)
    try:
        yield backend
    finally:
        backend.close()


def stored(path):
    with opened(path) as backend:
        (page,) = backend.read(QUERY, now=NOW)
        return [record.id for record in page.records]


def raw(path, *statements):
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        return [connection.execute(statement).fetchall() for statement in statements]


def intact(path):
    return raw(path, "PRAGMA integrity_check") == [[("ok",)]]


def child(*arguments):
    command = [sys.executable, sqlite_child.__file__, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def forked(*calls, then=lambda: None):
    """Run each call in a forked child, and `then` here; what they returned, as text, in order."""
    pipes = []
    for call in calls:
        receive, send = os.pipe()
        if (pid := os.fork()) == 0:
            try:
                os.write(send, str(call()).encode())
            except BaseException as error:
                os.write(send, f"{type(error).__name__}: {error}".encode())
            os._exit(0)
        os.close(send)
        pipes.append((pid, receive))
    then()
    results = []
    for pid, receive in pipes:
        with os.fdopen(receive) as pipe:
            results.append(pipe.read())
        os.waitpid(pid, 0)
    return results


def test_killed_in_mid_write_nothing_acknowledged_is_lost_and_no_batch_is_half(path):
    told = []
    for kill in range(6):
        with child("write", path, f"k{kill}") as writer:
            told += [writer.stdout.readline().strip() for _ in range(40 + 7 * kill)]
            writer.send_signal(signal.SIGKILL)
            told += [line.strip() for line in writer.stdout if line.endswith("\n")]
    assert intact(path)
    ids = stored(path)
    assert len(set(ids)) == len(ids)
    parts = dict.fromkeys(told, 0)
    for id in ids:
        name = id.rpartition("-")[0]
        parts[name] = parts.get(name, 0) + 1
    assert set(parts.values()) == {3}


def test_disk_full_keeps_what_was_acknowledged_and_goes_on_when_there_is_room(path):
    with child("fill", path, 400_000) as filler:
        lines = filler.stdout.read().splitlines()
    told = [line for line in lines if line.startswith(("full-", "after"))]
    (error,) = (line for line in lines if line.startswith("error: "))
    assert str(path) in error
    assert "full" in error
    assert "xxx" not in error, "a message must not hold what was said"
    assert f"read: {20 * (len(told) - 1)}" in lines
    assert told[-1] == "after"
    assert len(told) > 10
    assert intact(path)
    assert stored(path) == [f"{name}-{part}" for name in told for part in range(20)]


@pytest.fixture
def locked_folder():
    """A folder that others may read and not write; outside of pytest's, which is private."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
        Path(folder).chmod(0o755)


@needs_fork
def test_a_folder_that_may_not_be_written_is_named(locked_folder):
    path = locked_folder / "chat.db"
    with opened(path) as backend:
        backend.commit(STREAM, put=batch("a"), now=NOW)
    path.chmod(0o444)
    locked_folder.chmod(0o555)

    def as_nobody(file, write):
        if os.geteuid() == 0:
            os.setuid(65534)
        with opened(file) as backend:
            return backend.commit(STREAM, put=batch("b"), now=NOW) if write else stored(file)

    new, old, read = forked(
        lambda: as_nobody(locked_folder / "new.db", True),
        lambda: as_nobody(path, True),
        lambda: as_nobody(path, False),
    )
    for answer, name in ((new, "new.db"), (old, "chat.db"), (read, "chat.db")):
        assert answer.startswith("BackendError: ")
        assert str(locked_folder / name) in answer
        assert "allow this user to write" in answer
    assert len(stored(path)) == 3


def test_a_missing_folder_is_named(tmp_path):
    path = tmp_path / "no" / "such" / "chat.db"
    with opened(path) as backend, pytest.raises(BackendError, match="create its folder") as caught:
        backend.read(QUERY, now=NOW)
    assert str(path) in str(caught.value)
    assert isinstance(caught.value.__cause__, sqlite3.Error)


@pytest.mark.parametrize("content", [b"hello world\n" * 1000, b"hi", b"\0" * 5000 + b"x"])
def test_a_file_that_is_no_database_is_refused_untouched(path, content):
    path.write_bytes(content)
    with opened(path) as backend, pytest.raises(BackendError, match="not a SQLite database"):
        backend.commit(STREAM, put=batch("a"), now=NOW)
    assert path.read_bytes() == content
    assert [p.name for p in path.parent.iterdir()] == ["chat.db"]


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        (["CREATE TABLE users (name)"], "another program.*file of its own"),
        (["PRAGMA application_id=42", "CREATE TABLE threadkeep_streams (x)"], "another program"),
        (["PRAGMA application_id=42"], "another program"),
        (
            [f"PRAGMA application_id={APPLICATION_ID}", f"PRAGMA user_version={VERSION + 1}"],
            f"schema version {VERSION + 1}.*upgrade threadkeep",
        ),
    ],
)
def test_a_database_that_is_not_ours_or_newer_is_refused_untouched(path, statements, says):
    raw(path, *statements)
    before = path.read_bytes()
    for _ in range(2):
        with opened(path) as backend, pytest.raises(BackendError, match=says) as caught:
            backend.commit(STREAM, put=batch("a"), now=NOW)
        assert str(path) in str(caught.value)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["chat.db"]


def test_locked_past_the_timeout_says_what_to_do_and_writes_nothing(path):
    with opened(path, timeout=0.5) as backend:
        backend.commit(STREAM, put=batch("a"), now=NOW)
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(BackendTimeout, match=r"0\.5 s \(locked.*raise `timeout`") as caught:
                backend.commit(STREAM, put=batch("b"), now=NOW)
            assert str(path) in str(caught.value)
            (page,) = backend.read(QUERY, now=NOW)  # readers do not wait for writers
            assert len(page.records) == 3
        backend.commit(STREAM, put=batch("c"), now=NOW)
        assert [id[0] for id in stored(path)] == list("aaaccc")


def test_a_new_database_locked_by_another_is_a_timeout_too(path):
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with opened(path, timeout=0.1) as backend, pytest.raises(BackendTimeout):
            backend.read(QUERY, now=NOW)
    assert stored(path) == []


def test_a_body_that_is_no_text_any_more_hides_no_other(path):
    with opened(path) as backend:
        backend.commit(STREAM, put=batch("a"), now=NOW)
        raw(path, "UPDATE threadkeep SET body = CAST(x'22ff22' AS TEXT) WHERE id = 'a-1'")
        for _ in range(2):
            (page,) = backend.read(QUERY, now=NOW)
            assert [record.id for record in page.records] == ["a-0", "a-1", "a-2"]
            assert page.records[1].body == '"\ufffd"'
            assert page.records[2] == replace(batch("a")[2], seq=3)


def test_a_damaged_page_is_reported_with_the_way_out(path):
    with opened(path) as backend:
        for n in range(50):
            backend.commit(STREAM, put=batch(n), now=NOW)
    content = bytearray(path.read_bytes())
    content[4096 * 3 :] = b"\xa5" * (len(content) - 4096 * 3)
    path.write_bytes(content)
    with opened(path) as backend:
        for _ in range(2):
            with pytest.raises(BackendError, match=r"damaged.*\.recover.*backup") as caught:
                backend.read(QUERY, now=NOW)
        assert str(path) in str(caught.value)


def test_a_commit_that_fails_half_way_leaves_nothing(path):
    with opened(path) as backend:
        made = backend.commit(STREAM, put=batch("a"), now=NOW)
        unfit = Record("item", "bad", object(), NOW)  # type: ignore[arg-type]
        with pytest.raises(BackendError) as caught:
            backend.commit(STREAM, put=[*batch("b"), *batch("c"), unfit], now=NOW)
        assert str(path) in str(caught.value)
        assert backend.read(QUERY, now=NOW)[0].version == made.version
        assert [id[0] for id in stored(path)] == list("aaa")
        assert backend.commit(STREAM, put=batch("d"), now=NOW).seqs == [4, 5, 6]


def test_interrupted_in_mid_commit_the_next_call_finds_a_clean_connection(path):
    class Interrupted(list):
        def __iter__(self):
            yield from list(self[:2])
            raise KeyboardInterrupt

    with opened(path) as backend:
        backend.commit(STREAM, put=batch("a"), now=NOW)
        with pytest.raises(KeyboardInterrupt):
            backend.commit(STREAM, put=Interrupted(batch("b")), now=NOW)
        assert backend.in_use == 0
        assert not any(connection.in_transaction for connection in backend._pool._idle)
        with contextlib.closing(sqlite3.connect(path, timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")  # nobody holds the lock
        backend.commit(STREAM, put=batch("c"), now=NOW)
        assert [id[0] for id in stored(path)] == list("aaaccc")


@needs_fork
def test_many_processes_start_at_once_on_a_new_file(path):
    gate, opener = os.pipe()

    def start(n):
        os.read(gate, 1)
        with opened(path) as backend:
            return backend.commit(STREAM, put=batch(n, 1), now=NOW).seqs[0]

    starts = [partial(start, n) for n in range(40)]
    answers = forked(*starts, then=lambda: os.write(opener, b"x" * 40))
    os.close(gate)
    os.close(opener)
    assert sorted(map(int, answers)) == list(range(1, 41))
    assert intact(path)


@needs_fork
def test_after_a_fork_both_sides_write_and_nothing_is_lost(path):
    """The trap: the child's SQLite believes that it holds its parent's locks, and takes none."""
    ready, tell_parent = os.pipe()
    go, tell_child = os.pipe()
    with opened(path) as backend:
        backend.commit(STREAM, put=batch("before"), now=NOW)
        if (pid := os.fork()) == 0:
            code = 1
            try:
                backend.commit(STREAM, put=batch("child-1"), now=NOW)
                os.write(tell_parent, b"x")
                os.read(go, 1)
                for n in range(2, 12):  # the parent has closed its last connection meanwhile
                    backend.commit(STREAM, put=batch(f"child-{n}"), now=NOW)
                code = 0
            finally:
                os._exit(code)
        os.read(ready, 1)
        backend.commit(STREAM, put=batch("parent"), now=NOW)
    os.write(tell_child, b"x")
    assert os.waitpid(pid, 0)[1] == 0
    for end in (ready, tell_parent, go, tell_child):
        os.close(end)
    names = ["before", "child-1", "parent", *(f"child-{n}" for n in range(2, 12))]
    assert stored(path) == [f"{name}-{part}" for name in names for part in range(3)]
    assert intact(path)


@needs_fork
def test_a_fork_among_busy_threads_harms_neither_side(path):
    done = threading.Event()
    told: list[str] = []

    def write(thread):
        for n in range(10_000):
            if done.is_set():
                return
            backend.commit(STREAM, put=batch(f"t{thread}-{n}"), now=NOW)
            told.append(f"t{thread}-{n}")

    def go_on(n):
        backend.commit(STREAM, put=batch(f"f{n}"), now=NOW)
        return len(backend.read(QUERY, now=NOW)[0].records) % 3

    with opened(path) as backend:
        threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # a fork among threads
                answers = [answer for n in range(10) for answer in forked(partial(go_on, n))]
        finally:
            done.set()
            for thread in threads:
                thread.join()
    assert answers == ["0"] * 10
    names = {*told, *(f"f{n}" for n in range(10))}
    assert sorted(stored(path)) == sorted(f"{name}-{part}" for name in names for part in range(3))
    assert intact(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not delete what is open")
@pytest.mark.parametrize("change", ["deleted", "moved", "replaced"])
def test_a_file_that_is_gone_takes_no_writes(tmp_path, change):
    path, other = tmp_path / "chat.db", tmp_path / "other.db"
    with connect(f"sqlite:///{other}") as memory:
        memory.session("s").add("another store's")
    with connect(f"sqlite:///{path}") as memory:
        chat = memory.session("s")
        chat.add("first")
        if change == "deleted":
            path.unlink()
        else:
            (path if change == "moved" else other).replace(
                tmp_path / "kept.db" if change == "moved" else path
            )
        with pytest.raises(BackendError, match="deleted, moved or replaced"):
            chat.add("lost")
    assert path.exists() == (change == "replaced")
