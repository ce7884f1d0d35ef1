"""`connect`: what is understood, and errors that name the key and the nearest right one."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.engine.conftest import handles
from tests.engine.doubles import Clock, Wrapper
from threadkeep import Memory, connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.backends.none import NoneBackend
from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.errors import BackendError, ConfigError

SECRET = "hunter2"  # in the place of a password


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Relative paths lead into a folder of this test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THREADKEEP_URL", raising=False)
    yield tmp_path
    assert not handles(tmp_path)


def used(memory):
    """Writes to the store and closes it; the type of its backend."""
    with memory:
        memory.session("chat", user="ada").add("x")
        return type(memory._engine.backend)


@pytest.mark.parametrize(
    ("store", "backend", "file"),
    [
        ("memory://", MemoryBackend, None),
        ("memory://?max_sessions=5", MemoryBackend, None),
        ("none://", NoneBackend, None),
        ("sqlite:///chat.db", SqliteBackend, "chat.db"),
        ("sqlite:///sub/../chat.db", SqliteBackend, "chat.db"),
        ("sqlite:///chat.db?synchronous=FULL", SqliteBackend, "chat.db"),
        ("sqlite:///a name with no suffix", SqliteBackend, "a name with no suffix"),
        ("sqlite://", SqliteBackend, None),
        ("sqlite:///:memory:", SqliteBackend, None),
        ({}, MemoryBackend, None),
        ({"type": "memory"}, MemoryBackend, None),
        ({"type": "memory", "max_sessions": 5}, MemoryBackend, None),
        ({"type": "none"}, NoneBackend, None),
        ({"type": "sqlite", "path": "chat.db"}, SqliteBackend, "chat.db"),
        ({"type": "sqlite", "path": Path("chat.db")}, SqliteBackend, "chat.db"),
        ({"url": "sqlite:///chat.db"}, SqliteBackend, "chat.db"),
        ({"type": "sqlite", "url": "sqlite:///chat.db", "ttl": 5}, SqliteBackend, "chat.db"),
        (Path("chat.db"), SqliteBackend, "chat.db"),
        (Path("chat.sqlite"), SqliteBackend, "chat.sqlite"),
        (Path("chat.sqlite3"), SqliteBackend, "chat.sqlite3"),
    ],
)
def test_good_stores(folder, store, backend, file):
    (folder / "sub").mkdir()
    memory = connect(store)
    assert [path.name for path in folder.iterdir()] == ["sub"], "connecting touched the disk"
    assert used(memory) is backend
    if file:
        assert (folder / file).exists()
    else:
        assert [path.name for path in folder.iterdir()] == ["sub"]


def test_an_absolute_path_has_four_slashes(folder):
    used(connect(f"sqlite:///{folder}/chat.db"))
    assert (folder / "chat.db").exists()


def test_a_relative_path_stays_where_it_was_opened(folder, monkeypatch):
    (folder / "elsewhere").mkdir()
    memory = connect("sqlite:///chat.db")
    monkeypatch.chdir(folder / "elsewhere")
    used(memory)
    assert (folder / "chat.db").exists()


def test_the_environment_says_which_store(folder, monkeypatch):
    monkeypatch.setenv("THREADKEEP_URL", "sqlite:///from-env.db")
    used(connect())
    assert (folder / "from-env.db").exists()
    assert used(connect("memory://")) is MemoryBackend


@pytest.mark.parametrize("value", [None, ""])
def test_without_any_word_it_is_a_file_here(folder, monkeypatch, value):
    if value is not None:
        monkeypatch.setenv("THREADKEEP_URL", value)
    used(connect())
    assert (folder / "threadkeep.db").exists()


BAD = [
    ("", "sqlite:///threadkeep.db"),
    ("chat.db", "sqlite:///chat.db"),
    ("sqlite", "no scheme"),
    ("sqlite:chat.db", "two slashes"),
    ("sqlite:/chat.db", "two slashes"),
    ("sqlite://chat.db", "three slashes"),
    ("sqlite://host/chat.db", "three slashes"),
    ("sqllite:///chat.db", "'sqlite'"),
    ("SQLITE:///chat.db", "sqlite"),
    ("mem://", "memory"),
    ("://", "memory.*none.*sqlite"),
    ("memory://host", "host"),
    ("memory:///path", "path"),
    ("none://x", "host"),
    ("sqlite:///chat.db?synchronus=FULL", "'synchronus'.*'synchronous'"),
    ("sqlite:///chat.db?synchronous=MAYBE", "synchronous"),
    ("memory://?max_sessions=many", "max_sessions"),
    ("memory://?max_sessions=0", "max_sessions"),
    ("memory://?max_session=5", "'max_session'.*'max_sessions'"),
    ("none://?path=x", "'path'"),
    ({"type": "sqlit", "path": "x"}, "'sqlite'"),
    ({"type": 5}, "type"),
    ({"type": None}, "type"),
    ({"type": ["sqlite"]}, "type"),
    ({"type": "sqlite"}, "path"),
    ({"type": "sqlite", "pth": "chat.db"}, "'pth'.*'path'"),
    ({"type": "sqlite", "path": ""}, "path"),
    ({"type": "sqlite", "path": 5}, "path"),
    ({"type": "memory", "path": "x"}, "'path'"),
    ({"type": "memory", 5: 5}, "5"),
    ({"url": 5}, "url"),
    ({"url": "sqlite:///chat.db", "type": "memory"}, "contradict"),
    (Path("chat.txt"), ".sqlite"),
    (Path(), "folder"),
    (Path("chat"), ".sqlite"),
    (5, "URL"),
    (b"memory://", "URL"),
    (["memory://"], "URL"),
    (MemoryBackend, "URL|Backend"),
    (object(), "URL"),
]


@pytest.mark.parametrize(("store", "word"), BAD)
def test_bad_stores(folder, store, word):
    with pytest.raises(ConfigError, match=word):
        used(connect(store))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "word"),
    [
        ({"tll": 5}, "'tll'.*'ttl'"),
        ({"name_space": "x"}, "'name_space'.*'namespace'"),
        ({"windows": None}, "'windows'.*'window'"),
        ({"zzz": 1}, "'zzz'.*clock.*namespace"),
        ({"ttl": -1}, "ttl"),
        ({"ttl": "30 days"}, "ttl"),
        ({"ttl": True}, "ttl"),
        ({"ttl": float("nan")}, "ttl"),
        ({"namespace": ""}, "namespace"),
        ({"namespace": 5}, "namespace"),
        ({"namespace": "x" * 65}, "namespace"),
        ({"require_user": "perhaps"}, "require_user"),
        ({"require_user": 1}, "require_user"),
        ({"clock": 5}, "clock"),
        ({"pool_size": 0}, "pool_size"),
        ({"pool_size": 2.0}, "pool_size"),
        ({"pool_size": True}, "pool_size"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": "soon"}, "timeout"),
        ({"window": 5}, "window"),
        ({"window": {"max_token": 5}}, "'max_token'.*'max_tokens'"),
        ({"window": {"max_tokens": 0}}, "max_tokens"),
    ],
)
def test_bad_options(folder, option, word):
    for store in ("sqlite:///chat.db", "memory://", MemoryBackend()):
        with pytest.raises(ConfigError, match=word):
            connect(store, **option)
    with pytest.raises(ConfigError, match=word):
        connect({"type": "memory", **option})


def test_options_may_stand_in_the_dict(folder):
    memory = connect({"type": "memory", "namespace": "one", "require_user": True, "ttl": 5})
    settings = memory._engine.settings
    assert (settings.namespace, settings.require_user, settings.ttl) == ("one", True, 5)


@pytest.mark.parametrize("config", [{}, {"ttl": 60}, {"namespace": "shop", "max_sessions": 5}])
def test_a_dict_without_a_type_is_memory_and_says_so(caplog, config):
    with connect(config) as memory:
        assert "Memory memory" in repr(memory)
    assert "without a type" in caplog.text


@pytest.mark.parametrize("option", ["path", "fsync", "redis_db", "pool_max_size"])
def test_an_option_of_another_store_needs_a_type(option):
    with pytest.raises(ConfigError, match=f"'{option}' belongs to a store.* names no type"):
        connect({option: "chat.db"})


@pytest.mark.parametrize("config", [{"type": "memory"}, {"url": "memory://"}])
def test_a_dict_with_a_type_says_nothing(caplog, config):
    connect(config).close()
    assert not caplog.text


def test_the_dict_stays_the_callers(folder):
    given = {"url": "memory://", "namespace": "one"}
    connect(given)
    assert given == {"url": "memory://", "namespace": "one"}


def test_an_option_given_twice_must_be_the_same(folder):
    assert connect({"type": "memory", "ttl": 5}, ttl=5)._engine.settings.ttl == 5
    with pytest.raises(ConfigError, match="ttl"):
        connect({"type": "memory", "ttl": 5}, ttl=6)


def test_a_url_takes_settings_that_are_numbers_or_names(folder):
    memory = connect("sqlite:///chat.db?ttl=60&namespace=shop&pool_size=2&timeout=5")
    settings = memory._engine.settings
    assert (settings.ttl, settings.namespace) == (60.0, "shop")
    assert (settings.pool_size, settings.timeout) == (2, 5.0)
    with pytest.raises(ConfigError, match="ttl is given twice"):
        connect("sqlite:///chat.db?ttl=60", ttl=61)


def test_a_path_given_twice_is_an_error(folder):
    with pytest.raises(ConfigError, match="path"):
        connect("sqlite:///chat.db?path=other.db")


@pytest.mark.parametrize(
    "url",
    [
        f"postgrs://ada:{SECRET}@host/db",
        f"postgresql+asyncpg://ada:{SECRET}@host/db",
        f"redis://:{SECRET}@host:port",
        f"redis://:{SECRET}@host?passwort={SECRET}",
        f"sqlite://ada:{SECRET}@host/chat.db",
        f"memory://ada:{SECRET}@host",
        f"none://:{SECRET}@host",
        f"ada:{SECRET}@host/db",
        f"{SECRET}@host/db",
        f"://{SECRET}",
        f"redis:{SECRET}@host",
        f"{SECRET}",
        f"sqlite:///chat.db?password={SECRET}",
        f"memory://?password={SECRET}&max_sessions={SECRET}",
        f"mysql ://ada:{SECRET}@host/db",
        f"a:b:{SECRET}://host",
        f"//ada:{SECRET}@host/db",
        {"type": f"postgrs://ada:{SECRET}@host/db"},
        {"url": f"postgrs://ada:{SECRET}@host/db", "type": "postgres"},
        {"type": "sqlite", "password": SECRET, "path": "chat.db"},
        {"type": "memory", "max_sessions": SECRET},
    ],
)
def test_a_password_is_in_no_error(folder, url):
    with pytest.raises(ConfigError) as caught:
        connect(url)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)


def test_a_scheme_that_is_none_is_not_shown(folder):
    with pytest.raises(ConfigError) as caught:
        connect(f"my{SECRET}@host:5432//db")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("memory://", "<Memory memory namespace='default'>"),
        ("sqlite:///chat.db", "<Memory sqlite chat.db namespace='default'>"),
        ("none://", "<Memory none namespace='default'>"),
    ],
)
def test_a_memory_says_which_store_was_understood(folder, store, said):
    assert repr(connect(store)) == said


# --- a backend of the caller's own ---


class Noting(Wrapper):
    closed = 0

    def close(self):
        self.closed += 1
        super().close()


def test_a_backend_of_the_callers_own_is_used_and_never_closed(folder):
    backend = Noting(MemoryBackend())
    with connect(backend, clock=Clock()) as memory:
        memory.session("chat").add("x")
    assert backend.closed == 0
    with pytest.raises(BackendError, match="closed"):
        memory.session("chat").items()
    assert len(connect(backend, clock=Clock()).session("chat").items()) == 1


def test_what_was_opened_here_is_closed_here(folder):
    memory = connect("sqlite:///chat.db")
    memory.session("chat").add("x")
    memory.close()
    with pytest.raises(BackendError, match="closed"):
        memory._engine.backend.read(now=0)


def test_no_io_happens_before_the_first_read_or_write(folder):
    chat = connect(f"sqlite:///{folder}/no/such/folder/chat.db").user("ada").session("chat")
    with pytest.raises(BackendError, match=re.escape(f"{folder}/no/such/folder/chat.db")):
        chat.items()


# --- the two stores that need no server ---


@pytest.mark.proves("B41")
def test_memory_keeps_everything_while_it_is_open_and_nothing_longer(folder):
    memory = connect("memory://")
    chat = memory.session("chat", user="ada")
    added = chat.add(*(f"{n}" for n in range(300)))
    chat.update(title="t")
    assert memory.session("chat", user="ada").items() == added
    assert [info.title for info in memory.sessions(user="ada")] == ["t"]
    memory.close()
    assert connect("memory://").sessions() == []
    assert list(folder.iterdir()) == []


@pytest.mark.proves("B41")
def test_two_memories_do_not_share_what_they_keep(folder):
    one, two = connect("memory://"), connect("memory://")
    one.session("chat").add("x")
    assert two.session("chat").items() == []


@pytest.mark.proves("B42")
def test_none_answers_writes_with_ids_and_reads_with_nothing(folder):
    with connect("none://") as memory:
        chat = memory.session("chat", user="ada")
        for _ in range(3):
            added = chat.add({"role": "user", "content": "x", "id": "m1"}, "y")
            assert [item.content for item in added] == ["x", "y"]
            assert added[0].id == "m1"
            assert added[1].id
        chat.add(*["x"] * 2_500)
        chat.update(title="t")
        chat.files.add({"url": "u"})
        chat.files.remove("u")
        chat.clear(files=True)
        chat.remove("m1")
        assert not any((chat.items(), chat.window(), chat.files.list()))
        assert chat.info() is None
        assert memory.sessions() == memory.sessions(user="ada") == []
        assert memory.session("chat", user="bob").items() == []
        assert memory.sweep() == 0
        chat.delete()


def test_the_suite_runs_in_no_database_of_the_repository():
    assert not Path(__file__).with_name("threadkeep.db").exists()
    assert "THREADKEEP_URL" not in os.environ


def test_a_memory_may_be_made_of_a_backend_without_connect():
    memory = Memory(MemoryBackend())
    memory.session("chat").add("x")
    assert len(memory.session("chat").items()) == 1
