"""`describe()`: what a store on disk is, seen from outside."""

import sqlite3

import pytest

from threadkeep.backends.file import FileBackend
from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.errors import BackendError
from threadkeep.types import Query, Record

SCHEMAS = {SqliteBackend: "2", FileBackend: "1"}


@pytest.fixture(params=SCHEMAS)
def make(request, tmp_path):
    return lambda: request.param(tmp_path / "store")


def test_what_is_not_there_is_not_made(make, tmp_path):
    said = make().describe()
    assert (said["exists"], said["path"]) == ("no", str(tmp_path / "store"))
    assert set(said) == {"engine", "path", "exists"}
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_measured(make, tmp_path):
    backend = make()
    for n in range(3):
        record = Record("item", "a", '"' + "x" * 5_000 + '"', 0.0)
        backend.commit(f"s{n}", put=[record], now=0.0)
    said = backend.describe()
    assert said["exists"] == "yes"
    assert said["schema"] == SCHEMAS[type(backend)]
    there = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert 15_000 < int(said["bytes"].replace(",", "")) <= there
    backend.close()
    assert make().describe()["schema"] == said["schema"]


def test_its_engine_is_named(tmp_path):
    assert SqliteBackend(":memory:").describe() == {
        "engine": f"SQLite {sqlite3.sqlite_version}",
        "path": ":memory:",
        "exists": "yes",
    }
    assert "not synced" in FileBackend(tmp_path, fsync=False).describe()["engine"]
    backend = FileBackend(tmp_path / "chats")
    backend.read(Query("s", "item"), now=0.0)
    assert backend.describe()["streams"] == "0"


def test_a_file_that_is_no_database_has_no_schema(tmp_path):
    (tmp_path / "store").write_text("hi")
    assert "schema" not in SqliteBackend(tmp_path / "store").describe()


def test_a_folder_of_other_things_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BackendError, match="other things"):
        FileBackend(tmp_path).describe()
