"""The file store when the power goes: what was acknowledged is there, by a disk that forgets.

The disk of these tests keeps of a file what it held at its last fsync, and of a folder the names
it had at its own: less than any file system does.
"""

import os
import shutil
from pathlib import Path

import pytest

from tests.backends.file_child import NOW, batch
from threadkeep.backends.file import FileBackend, commit
from threadkeep.types import Drop, Query


class Disk:
    """What of a folder would be there after a power cut."""

    def __init__(self, root):
        self.root = root
        self.contents = {}
        self.names = {}
        self.syncs = 0
        self.at_folder_sync = lambda: None

    def sync(self, fd):
        place = os.fstat(fd)
        path = Path(f"/proc/self/fd/{fd}").readlink()
        if path.is_dir():
            self.at_folder_sync()
            self.names[place.st_ino] = {one.name: one.stat().st_ino for one in path.iterdir()}
        else:
            self.contents[place.st_ino] = path.read_bytes()
        self.syncs += 1

    def after_power_cut(self, target):
        """The folder as it is found then, at another place."""
        self._restore(self.root.stat().st_ino, target)
        return target

    def _restore(self, inode, target):
        target.mkdir()
        for name, below in self.names.get(inode, {}).items():
            if below in self.names:
                self._restore(below, target / name)
            else:
                (target / name).write_bytes(self.contents.get(below, b""))


@pytest.fixture
def disk(tmp_path, monkeypatch):
    if not Path("/proc/self/fd").exists():
        pytest.skip("the disk of these tests needs /proc")
    (tmp_path / "root").mkdir()
    disk = Disk(tmp_path / "root")
    monkeypatch.setattr(os, "fsync", disk.sync)
    monkeypatch.setattr(commit, "_sync", disk.sync)
    return disk


@pytest.fixture
def found(disk, tmp_path):
    """The ids of a stream after a power cut now."""

    def read(stream, folder="sub/chats"):
        target = disk.after_power_cut(tmp_path / "after")
        (page,) = FileBackend(target / folder, fsync=False).read(Query(stream, "item"), now=NOW)
        shutil.rmtree(target)
        return [record.id for record in page.records]

    return read


@pytest.mark.proves("A18")
def test_every_acknowledged_commit_survives_a_power_cut(disk, found):
    backend = FileBackend(disk.root / "sub" / "chats")
    for n in range(12):
        stream = f"s{n % 3}"
        backend.commit(stream, put=batch(f"{n}", 2), now=NOW)
        assert found(stream)[-2:] == [f"{n}-0", f"{n}-1"]
    assert [len(found(f"s{n}")) for n in range(3)] == [8, 8, 8]
    backend.commit("s1", drop=[Drop()], now=NOW)
    assert found("s1") == []
    backend.commit("s1", put=batch("again", 1), now=NOW)
    assert found("s1") == ["again-0"]


def test_this_disk_does_forget(disk, found):
    """What is not synced is lost on it: the tests here can fail."""
    FileBackend(disk.root / "chats", fsync=False).commit("s", put=batch("a"), now=NOW)
    target = disk.after_power_cut(disk.root.parent / "after")
    assert list(target.rglob("*.log")) == []


@pytest.mark.proves("A18")
def test_a_power_cut_at_any_step_of_a_compaction_loses_nothing(disk, found):
    backend = FileBackend(disk.root / "sub" / "chats")
    backend.commit("s", put=batch("first", 1), now=NOW)
    compacted, checked = 0, []

    def at_folder_sync():
        checked.append(found("s"))

    for n in range(90):
        size = _log(disk).stat().st_size
        disk.at_folder_sync = at_folder_sync
        backend.commit("s", put=batch("same", 5), now=NOW)
        disk.at_folder_sync = lambda: None
        assert found("s") == ["first-0", *(f"same-{part}" for part in range(5))], n
        compacted += _log(disk).stat().st_size < size
    assert compacted >= 1
    assert {tuple(ids) for ids in checked} == {("first-0", *(f"same-{part}" for part in range(5)))}


def test_nobody_else_writes_to_a_compacted_log_before_its_name_is_safe(disk):
    fcntl = pytest.importorskip("fcntl")
    backend = FileBackend(disk.root / "sub" / "chats")
    backend.commit("s", put=batch("same", 5), now=NOW)
    refused = []

    def at_folder_sync():
        with _log(disk).open("rb") as other:
            try:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                refused.append(True)
            else:
                refused.append(False)

    disk.at_folder_sync = at_folder_sync
    for _ in range(90):
        backend.commit("s", put=batch("same", 5), now=NOW)
    assert refused
    assert all(refused)


def test_without_fsync_nothing_is_synced_but_the_marker_of_a_new_folder(disk):
    backend = FileBackend(disk.root / "chats", fsync=False)
    backend.read(Query("s", "item"), now=NOW)
    made = disk.syncs
    for n in range(300):
        backend.commit(f"s{n % 2}", put=batch("same", 5), now=NOW)
    assert disk.syncs == made


def _log(disk):
    (path,) = disk.root.rglob("*.log")
    return path
