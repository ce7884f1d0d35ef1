"""What was said is its user's own on the disk, whatever the umask."""

import os
import stat

import pytest

from threadkeep import connect

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")


@pytest.fixture(autouse=True)
def usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder):
    """Of everything below a folder, and of itself."""
    paths = [folder, *folder.rglob("*")]
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in paths}


@posix
def test_sqlite_files_are_private(tmp_path):
    path = tmp_path / "chat.db"
    with connect(f"sqlite:///{path}") as memory:
        memory.session("chat").add("hello")
        found = {name: mode for name, mode in modes(tmp_path).items() if "chat.db" in name}
    assert set(found) >= {"chat.db", "chat.db-wal"}
    assert set(found.values()) == {0o600}


@posix
def test_file_store_is_private_through_compaction(tmp_path):
    folder = tmp_path / "new" / "chats"
    with connect(f"file://{folder}") as memory:
        chat = memory.session("chat", user="ada")
        for _ in range(12):
            chat.set_items(*[{"role": "user", "content": "x" * 5_000} for _ in range(4)])
        memory.purge()
    for path, mode in modes(folder).items():
        is_folder = (folder / path).is_dir() or path == "chats" or len(path) == 2
        assert mode == (0o700 if is_folder else 0o600), path


@posix
def test_rights_that_were_given_stay(tmp_path):
    path = tmp_path / "chat.db"
    path.touch(mode=0o640)
    with connect(f"sqlite:///{path}") as memory:
        memory.session("chat").add("hello")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    folder = tmp_path / "chats"
    with connect(f"file://{folder}") as memory:
        chat = memory.session("chat")
        chat.add("hello")
        logs = list(folder.rglob("*.log"))
        for log in logs:
            log.chmod(0o640)
        for _ in range(12):
            chat.set_items(*[{"role": "user", "content": "x" * 10_000} for _ in range(4)])
        assert max(log.stat().st_size for log in logs) < 250_000, "it was compacted"
        assert {stat.S_IMODE(log.stat().st_mode) for log in logs} == {0o640}
