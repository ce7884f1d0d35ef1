"""`connect` and the table of stores: folders, stores of other people, drivers that are missing."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest

from tests.service import shelf
from threadkeep import connect
from threadkeep.backends.file import FileBackend
from threadkeep.config import plugins
from threadkeep.config.open_store import display_name
from threadkeep.config.option_spec import OptionSpec
from threadkeep.config.store_spec import StoreSpec
from threadkeep.config.stores import STORES
from threadkeep.core.option_types import TEXT
from threadkeep.errors import ConfigError, MissingExtra

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def used(memory):
    with memory:
        memory.session("chat", user="ada").add("x")
        return memory._engine.backend


@pytest.mark.parametrize(
    ("store", "made"),
    [
        ("file:chats", "chats"),
        ("file:./sub/chats", "sub/chats"),
        ("file:my%20chats", "my chats"),
        ("file:chats?fsync=false&timeout=5", "chats"),
        ("file:///{folder}/chats", "chats"),
        ("file:{folder}/chats", "chats"),
        ({"type": "file", "path": "chats"}, "chats"),
        ({"type": "file", "path": Path("chats"), "fsync": False}, "chats"),
        ({"url": "file:chats", "ttl": 5}, "chats"),
    ],
)
def test_a_folder_is_a_store(folder, store, made):
    store = store.format(folder=folder) if isinstance(store, str) else store
    memory = connect(store)
    assert list(folder.iterdir()) == [], "connecting touched the disk"
    assert isinstance(used(memory), FileBackend)
    assert (folder / made / "threadkeep.json").exists()


def test_a_path_that_is_a_folder_is_a_file_store(folder):
    for name in ("chats", "chats.db"):
        (folder / name).mkdir()
        assert isinstance(used(connect(folder / name)), FileBackend)


def test_the_file_store_says_where_it_is():
    assert repr(connect("file:chats")) == "<Memory file chats namespace='default'>"


def test_options_of_a_url_reach_the_file_store():
    backend: Any = connect("file:chats?fsync=false&timeout=5")._engine.backend
    assert (backend._fsync, backend._timeout) == (False, 5.0)


@pytest.mark.parametrize(
    ("store", "word"),
    [
        ("file:", "path"),
        ("file://", "no host"),
        ("file://host/chats", "no host"),
        ("file:chats?fsync=perhaps", "fsync must be true or false"),
        ("file:chats?path=other", "path is given twice"),
        ("file:chats?sync=true", "'sync'.*'fsync'"),
        ({"type": "file"}, "file needs a path"),
        ({"type": "file", "path": "x", "module_path": "a.b"}, "module_path belongs to"),
        ({"type": "custom"}, "module_path is missing"),
        ({"type": "custom", "module_path": "no.such.module"}, "No module named"),
        ({"type": "tests.service.shelves:Plane"}, "mean 'Plain'"),
        ({"type": "tests.service.shelves:Half"}, "lacks"),
        ({"type": "shelv"}, "did you mean 'shelf'"),
        ({"type": ["x"], "url": "memory://"}, "type"),
        ("shelv://here", "did you mean 'shelf'"),
        ("shelf://here?ttl=soon", "ttl must be a number"),
    ],
)
@pytest.mark.usefixtures("announced")
def test_what_is_not_understood_is_named(folder, store, word):
    with pytest.raises(ConfigError, match=word):
        used(connect(store))
    assert list(folder.iterdir()) == []


@pytest.fixture
def announced(monkeypatch):
    points = EntryPoints([EntryPoint("shelf", "tests.service.shelf:ShelfProvider", plugins.GROUP)])
    monkeypatch.setattr(plugins, "entry_points", lambda **by: points.select(**by))


@pytest.mark.proves("A22")
@pytest.mark.usefixtures("announced")
@pytest.mark.parametrize(
    ("store", "options"),
    [
        (
            {"type": "custom", "module_path": "tests.service.shelf", "colour": "oak"},
            {"colour": "oak"},
        ),
        ({"type": "ShelfProvider", "module_path": "tests.service.shelf"}, {}),
        ({"type": "tests.service.shelf:ShelfProvider", "url": "x:y"}, {"url": "x:y"}),
        ({"type": "shelf", "colour": "oak", "ttl": 5}, {"colour": "oak"}),
        (f"shelf://ada:{SECRET}@here/a?b=c&ttl=5", {"url": f"shelf://ada:{SECRET}@here/a?b=c"}),
        ("shelf://?ttl=5", {"url": "shelf://"}),
    ],
)
def test_a_store_of_other_people_gets_every_option_that_is_not_ours(store, options):
    memory = connect(store)
    backend = used(memory)
    assert isinstance(backend, shelf.ShelfProvider)
    assert backend.options == options
    assert backend.closed, "what was made here is closed here"
    assert SECRET not in repr(memory)
    assert memory._engine.settings.ttl == (5 if "ttl" in str(store) else None)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"redis://:{SECRET}@host:6379/0?x=1", "redis://host:6379/0"),
        (f"redis://:{SECRET}/a@host/0", "redis"),
        (f"redis://:{SECRET}?a@host/0", "redis"),
        (f"postgresql://ada:{SECRET}@a@host/db", "postgresql://host/db"),
        ("redis://host", "redis://host"),
    ],
)
def test_a_store_is_shown_without_its_password(url, said):
    assert display_name("redis", {"url": url}) == said


@pytest.mark.proves("A23")
@pytest.mark.parametrize(
    "store", ["shop://here", "shops://here", {"type": "shop", "url": "shop://x"}]
)
def test_a_missing_driver_is_named_with_its_extra(monkeypatch, store):
    row = StoreSpec(
        "tests.engine.driverless",
        "Backend",
        (OptionSpec(name="url", type=TEXT, help=""),),
        schemes=("shop", "shops"),
        extra="redis",
    )
    monkeypatch.setitem(STORES, "shop", row)
    with pytest.raises(
        MissingExtra, match=r'nosuchdriver is not installed: .*"threadkeep\[redis\]"'
    ):
        connect(store)


def test_the_history_service_is_a_public_name_that_loads_when_asked_for():
    code = """
import sys
import threadkeep
assert not any(name.startswith("threadkeep.service") for name in sys.modules)
assert "HistoryService" in dir(threadkeep) and "HistoryService" in threadkeep.__all__
assert "importlib.metadata" not in sys.modules
from threadkeep import HistoryService
assert threadkeep.HistoryService is HistoryService is threadkeep.service.HistoryService
assert "yaml" not in sys.modules
try:
    threadkeep.HistoryServices
except AttributeError as error:
    assert "no attribute 'HistoryServices'" in str(error)
else:
    raise AssertionError
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
