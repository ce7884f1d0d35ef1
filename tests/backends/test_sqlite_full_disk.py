"""A disk that is really full, with nothing to spare: deleting works, and then writing again."""

import os
import subprocess

import pytest

from threadkeep import connect
from threadkeep.backends.sqlite import reserve
from threadkeep.errors import BackendError

MEGABYTE = 2**20


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 60 MB, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(folder)]
    if os.name == "nt" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(memory):
    """Sessions of 1 MB until the disk is full; how many there are."""
    number = 0
    with pytest.raises(BackendError, match="full"):  # noqa: PT012 (until it raises)
        while True:
            memory.session(f"s{number}", user="ada").add("x" * MEGABYTE)
            number += 1
    with pytest.raises(BackendError, match="full"):  # noqa: PT012 (until it raises)
        while True:
            memory.session(f"s{number}", user="ada").add("x" * 500)
    return number


def test_deleting_frees_room_on_a_full_disk(small_disk):
    path = small_disk / "chat.db"
    with connect(f"sqlite:///{path}") as memory:
        for number in range(4):
            memory.session(f"s{number}", user="ada").add("x" * MEGABYTE)
    with connect(f"sqlite:///{path}") as memory:
        kept = reserve.path_of(str(path))
        memory.session("s0").info()
        assert kept.stat().st_size == reserve.SIZE
        count = fill(memory)
        assert count > 20
        memory.session("s1", user="ada").delete()
        assert not kept.exists()
        for number in range(2, 12):
            memory.session(f"s{number}", user="ada").delete()
        memory.sweep()
        for number in range(3):
            memory.session(f"new{number}", user="ada").add("x" * MEGABYTE)
        assert memory.session("s0").items()[0].text == "x" * MEGABYTE
        assert memory.session("new0").items()[0].text == "x" * MEGABYTE
        assert memory.session("s1").items() == []


def test_small_database_and_nearly_full_disk_get_no_reserve(tmp_path, monkeypatch):
    path = tmp_path / "chat.db"
    with connect(f"sqlite:///{path}") as memory:
        memory.session("chat").add("hello")
        memory.session("chat").add("x" * MEGABYTE)
    assert not reserve.path_of(str(path)).exists()
    monkeypatch.setattr(reserve, "_PLENTY", 2**62)
    with connect(f"sqlite:///{path}") as memory:
        assert memory.session("chat").items()
    assert not reserve.path_of(str(path)).exists()
