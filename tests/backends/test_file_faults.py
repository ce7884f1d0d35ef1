"""The file store when the world is unkind: killed writers, torn and damaged lines, many at once."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from functools import partial

import pytest

from tests.backends import file_child
from tests.backends.file_child import NOW, STREAM, batch
from threadkeep.backends.file import FileBackend, compaction
from threadkeep.errors import BackendError, BackendTimeout
from threadkeep.testing.concurrency import run_in_processes
from threadkeep.types import Query

QUERY = Query(STREAM, "item")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "chats"


def stored(folder):
    backend = FileBackend(folder)
    (page,) = backend.read(QUERY, now=NOW)
    return [record.id for record in page.records]


def commit(folder, put):
    return FileBackend(folder).commit(STREAM, put=put, now=NOW)


def the_log(folder):
    (path,) = folder.rglob("*.log")
    return path


@contextlib.contextmanager
def children(role, folder, names):
    command = [sys.executable, file_child.__file__, role, str(folder)]
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(
                subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True)
            )
            for name in names
        ]


def killed(processes, after):
    """Kill all once each has said so many lines; every whole line it said."""
    told = [
        [child.stdout.readline() for _ in range(after + n % 5)] for n, child in enumerate(processes)
    ]
    for child in processes:
        child.send_signal(signal.SIGKILL)
    return [
        [line.strip() for line in [*lines, *child.stdout] if line.endswith("\n")]
        for lines, child in zip(told, processes, strict=True)
    ]


@pytest.mark.proves("A18")
@pytest.mark.slow
def test_24_writers_killed_nothing_acknowledged_is_lost_and_no_batch_is_half(folder):
    with children("write", folder, [f"k{n}" for n in range(24)]) as writers:
        told = [name for lines in killed(writers, 10) for name in lines]
    assert len(told) >= 240
    ids = stored(folder)
    assert len(set(ids)) == len(ids)
    parts = dict.fromkeys(told, 0)
    for id in ids:
        name = id.rpartition("-")[0]
        parts[name] = parts.get(name, 0) + 1
    assert set(parts.values()) == {3}
    done = commit(folder, batch("after"))
    assert done.seqs == [len(ids) + n for n in (1, 2, 3)], "seqs have no gap"
    assert stored(folder) == [*ids, "after-0", "after-1", "after-2"]


@pytest.mark.slow
def test_writers_killed_while_the_log_is_compacted_lose_nothing(folder):
    names = [f"c{n}" for n in range(6)]
    for _ in range(3):
        with children("churn", folder, names) as writers:
            told = killed(writers, 40)
        seen = file_child.watch(folder, names, 1)
        for name, lines in zip(names, told, strict=True):
            assert seen[name] in (int(lines[-1]), int(lines[-1]) + 1)
    assert the_log(folder).stat().st_size < 3 * 6 * 40 * 4_000, "it was never compacted"
    commit(folder, batch("after"))
    assert {*stored(folder)} == {f"{n}-{p}" for n in names for p in "ab"} | {
        f"after-{n}" for n in range(3)
    }


@pytest.mark.slow
def test_processes_count_up_while_others_read(folder):
    names = [f"c{n}" for n in range(4)]
    jobs = [partial(file_child.churn, folder, name, 150) for name in names]
    jobs += [partial(file_child.watch, folder, names, 60)] * 2
    run_in_processes(_call, [(job,) for job in jobs])
    assert file_child.watch(folder, names, 1) == dict.fromkeys(names, 150)
    assert the_log(folder).stat().st_size < 4 * 150 * 4_000, "it was never compacted"


def _call(job):
    return job()


@pytest.mark.proves("A18")
def test_a_tail_torn_at_any_byte_is_cut_off_and_reported(folder, tmp_path, caplog):
    commit(folder, batch("a"))
    whole = the_log(folder).stat().st_size
    commit(folder, batch("b", 1))
    log = the_log(folder).read_bytes()
    for size in range(whole, len(log)):
        copy = tmp_path / f"torn-{size}"
        shutil.copytree(folder, copy)
        os.truncate(the_log(copy), size)
        assert stored(copy) == ["a-0", "a-1", "a-2"]
        caplog.clear()
        assert commit(copy, batch("c", 1)).seqs == [4]
        assert ("torn commit" in caplog.text) == (size > whole)
        assert stored(copy) == ["a-0", "a-1", "a-2", "c-0"]
        assert "xxx" not in caplog.text, "what was said is in no report"
        shutil.rmtree(copy)


@pytest.mark.proves("A18")
def test_a_line_damaged_at_any_byte_hides_only_itself(folder):
    """A bit flips in the middle of the log; what was committed before and after stays."""
    commit(folder, batch("a", 1))
    start = the_log(folder).stat().st_size
    commit(folder, batch("b", 1))
    end = the_log(folder).stat().st_size
    commit(folder, batch("c", 1))
    log = the_log(folder).read_bytes()
    for place in range(start, end - 1):
        damaged = bytearray(log)
        damaged[place] ^= 1
        the_log(folder).write_bytes(damaged)
        assert stored(folder) == ["a-0", "c-0"], place
    assert commit(folder, batch("d", 1)).seqs[0] > 3
    assert stored(folder) == ["a-0", "c-0", "d-0"]


def test_a_file_that_exists_and_is_empty_is_no_stream(folder):
    commit(folder, batch("a"))
    the_log(folder).write_bytes(b"")
    assert stored(folder) == []
    assert FileBackend(folder).streams("default/") == ([], None)
    commit(folder, batch("b", 1))
    assert stored(folder) == ["b-0"]


HOSTILE = [
    "../../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "CON",
    "nul.log",
    "a",
    "A",
    "a ",
    "a.",
    "á",
    "a\u0301",
    "a\nb",
    "a\tb",
    "a\\b",
    "C:\\x",
    '"; rm -rf /',
    "%00",
    "\u202egnp",
    "🧵" * 128,
    "x" * 512,
    "*?<>|",
    "-rf",
    "~root",
    "$HOME",
    "threadkeep.json",
]


@pytest.mark.proves("A18")
def test_hostile_names_lead_nowhere_and_are_never_mixed_up(folder):
    backend = FileBackend(folder, fsync=False)
    for n, name in enumerate(HOSTILE):
        backend.commit(name, put=batch(f"{n}", 1), now=NOW)
    for n, name in enumerate(HOSTILE):
        (page,) = FileBackend(folder).read(Query(name, "item"), now=NOW)
        assert [record.id for record in page.records] == [f"{n}-0"], name
    assert sorted(backend.streams("")[0]) == sorted(HOSTILE)
    assert [path.name for path in folder.parent.iterdir()] == ["chats"]
    for path in folder.rglob("*.*"):
        assert path.name == "threadkeep.json" or set(path.stem) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    ("name", "content"),
    [("notes.txt", "mine"), ("threadkeep.json", "{"), ("threadkeep.json", '{"threadkeep": 99}')],
)
def test_a_folder_that_is_not_ours_or_newer_is_left_untouched(folder, name, content):
    folder.mkdir()
    (folder / name).write_text(content)
    with pytest.raises(BackendError, match=str(folder)):
        commit(folder, batch("a"))
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [(name, content)]


def test_a_lock_that_is_held_too_long_says_what_to_do(folder):
    fcntl = pytest.importorskip("fcntl")
    commit(folder, batch("a", 1))
    with the_log(folder).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        backend = FileBackend(folder, timeout=0.1)
        with pytest.raises(BackendTimeout, match=r"0\.1 s.*raise `timeout`"):
            backend.commit(STREAM, put=batch("b", 1), now=NOW)
        assert stored(folder) == ["a-0"], "readers do not wait for writers"
    commit(folder, batch("c", 1))
    assert stored(folder) == ["a-0", "c-0"]


def test_a_disk_without_room_costs_a_compaction_and_no_commit(folder, monkeypatch, caplog):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compaction, "compact", full)
    for _ in range(80):
        FileBackend(folder, fsync=False).commit(STREAM, put=batch("same", 10), now=NOW)
    assert "could not be compacted: No space left" in caplog.text
    assert stored(folder) == [f"same-{n}" for n in range(10)]
