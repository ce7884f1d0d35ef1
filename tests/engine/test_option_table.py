"""The table of options: each cell, the names of both systems' pages, and what contradicts."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from threadkeep import HistoryService, Memory, connect
from threadkeep.backends.common import sql_views
from threadkeep.backends.memory import MemoryBackend
from threadkeep.config.option_spec import OptionSpec
from threadkeep.config.setting_options import SETTINGS
from threadkeep.config.store_spec import StoreSpec
from threadkeep.config.stores import STORES
from threadkeep.connect import connect_by_flags
from threadkeep.core.option_types import (
    FLAG,
    LIFETIME,
    PATH,
    POOL_SIZE,
    RETENTION_DAYS,
    SECONDS,
    WAIT,
)
from threadkeep.core.settings import NAMES
from threadkeep.errors import ConfigError

BASE: dict[str, dict[str, str]] = {
    "sqlite": {"path": "chat.db"},
    "file": {"path": "chats"},
    "oracle": {"user": "ada", "password": "pw"},
    "sql": {"db_type": "mysql"},
}
URLS = {
    "memory": "memory://",
    "sqlite": "sqlite:///chat.db",
    "file": "file:chats",
    "postgres": "postgresql://db/chat",
    "mysql": "mysql://db/chat",
    "oracle": "oracle://ada:pw@db/chat",
    "redis": "redis://db",
    "mongodb": "mongodb://db",
}
SPECIAL: dict[str, tuple[str, Any]] = {
    "db_type": ("mysql", "mysql"),
    "key": ("secret", "secret"),
    "path": ("here", "here"),
}
BY_TYPE: dict[Any, tuple[str, Any]] = {
    FLAG: ("yes", True),
    LIFETIME: ("30d", 2_592_000.0),
    SECONDS: ("15m", 900.0),
    WAIT: ("15m", 900.0),
    RETENTION_DAYS: ("7", 604_800.0),
    POOL_SIZE: ("5", 5),
    PATH: ("~/here", str(Path("~/here").expanduser())),
}


class Recorder(MemoryBackend):
    """A store that notes of which arguments it was made."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__()
        self.arguments = arguments


class Cell(NamedTuple):
    """One spelling of one option."""

    kind: str
    option: OptionSpec
    spelling: str
    name: str


def cells() -> list[Cell]:
    found = []
    for kind, store in STORES.items():
        for option in store.options:
            found += [Cell(kind, option, "dict", name) for name in option.keys]
            found += [Cell(kind, option, "keyword", name) for name in option.keys]
            if kind in URLS:
                found += [Cell(kind, option, "url", name) for name in option.parameters]
            if option.text:
                found.append(Cell(kind, option, "flag", option.long))
                found.append(Cell(kind, option, "variable", option.variable))
    return found


def sample(kind: str, option: OptionSpec) -> tuple[str, Any]:
    """A text, and the value it means."""
    if option.name == "url":
        return URLS[kind], URLS[kind]
    if option.name in SPECIAL:
        return SPECIAL[option.name]
    if option.type in BY_TYPE:
        return BY_TYPE[option.type]
    if "|" in option.type.metavar:
        text = option.type.metavar.rpartition("|")[2]
        return text, text
    return ("3", 3) if option.type.metavar == "N" else ("word", "word")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith(("THREADKEEP_", "ATP_"))]:
        if not name.startswith("THREADKEEP_TEST"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def recorded(monkeypatch):
    """Stores are not opened: what they would be made of is noted."""
    monkeypatch.setattr(StoreSpec, "load", lambda store: Recorder)


def opened(cell: Cell, text: str, monkeypatch) -> Memory:
    base = {
        name: value
        for name, value in BASE.get(cell.kind, {}).items()
        if name not in cell.option.keys and cell.option.name != "engine"
    }
    if cell.spelling == "dict":
        return connect({"type": cell.kind, **base, cell.name: text})
    if cell.spelling == "keyword":
        return connect({"type": cell.kind, **base}, **{cell.name: text})
    if cell.spelling == "url":
        return connect(f"{URLS[cell.kind]}?{cell.name}={text}")
    flags = {f"{cell.kind}_{name}": value for name, value in base.items()}
    if cell.spelling == "flag":
        return connect_by_flags({"history_backend": cell.kind, **flags, cell.name: text})
    monkeypatch.setenv("THREADKEEP_HISTORY_BACKEND", cell.kind)
    monkeypatch.setenv(cell.name, text)
    for option in STORES[cell.kind].options:
        if option.name in base:
            monkeypatch.setenv(option.variable, base[option.name])
    return connect()


@pytest.mark.parametrize("cell", cells(), ids=lambda cell: f"{cell.spelling}-{cell.name}")
@pytest.mark.usefixtures("recorded")
def test_each_cell_of_the_table_reaches_the_store(cell, monkeypatch):
    text, value = sample(cell.kind, cell.option)
    if cell.spelling == "url" and cell.option.name == "path":
        with pytest.raises(ConfigError, match="path is given twice, and differently"):
            opened(cell, text, monkeypatch)
        return
    memory = opened(cell, text, monkeypatch)
    backend: Any = memory.backend
    target = cell.option.target
    if cell.spelling == "url" and cell.name in STORES[cell.kind].driver_parameters:
        assert backend.arguments["url"] == f"{URLS[cell.kind]}?{cell.name}={text}"
    elif target in NAMES:
        assert getattr(memory._engine.settings, target) == value
    elif target == "external_auth":
        assert backend.arguments.keys() & {"user", "password"} == set()
    elif target not in ("db_type", "pool_min", "engine"):  # these are no arguments of the class
        assert backend.arguments[target] == value


@pytest.mark.parametrize("option", SETTINGS, ids=lambda option: option.name)
def test_each_setting_has_one_meaning_in_every_spelling(option, monkeypatch):
    if not option.text or option.name in ("key", "observe"):  # wrappers: they take extras
        return
    text, value = ("shop", "shop") if option.name == "namespace" else sample("", option)
    for memory in (
        connect("memory://", **{option.name: text}),
        connect({"type": "memory", option.name: text}),
        connect(f"memory://?{option.name}={text}"),
        connect_by_flags({"history_backend": "memory", option.name: text}),
    ):
        assert getattr(memory._engine.settings, option.name) == value
    monkeypatch.setenv("THREADKEEP_HISTORY_BACKEND", "memory")
    monkeypatch.setenv(option.variable, text)
    assert getattr(connect()._engine.settings, option.name) == value


# --- the names of both pages, written out ---

FLAGS = """
--postgres-db-url --postgres-pool-max-size --redis-url --redis-pool-max-size
--redis-retention-days --oracle-wallet-path --oracle-tns-alias --oracle-dsn --oracle-user
--oracle-password --oracle-external-auth --oracle-pool-min --oracle-pool-max
--oracle-pool-timeout-secs --oracle-wallet-password
"""
VARIABLES = """
ATP_WALLET_PATH ATP_TNS_ALIAS ATP_DSN ATP_USER ATP_PASSWORD ATP_EXTERNAL_AUTH ATP_POOL_MIN
ATP_POOL_MAX ATP_POOL_TIMEOUT_SECS ATP_WALLET_PASSWORD
"""
KEYS = {
    "file": "path",
    "redis": "redis_host redis_port redis_db",
    "mongodb": "mongodb_uri mongodb_db mongodb_collection",
    "sql": "db_type sql_host sql_user sql_password sql_database table_name",
}


@pytest.mark.proves("B40", "B50")
def test_the_table_has_every_name_of_both_pages():
    options = [option for store in STORES.values() for option in store.options]
    assert not set(FLAGS.split()) - {option.flag for option in options}
    assert not set(VARIABLES.split()) - {option.variable for option in options}
    for kind, names in KEYS.items():
        known = {name for option in STORES[kind].options for name in option.keys}
        assert not set(names.split()) - known


def test_no_name_means_two_options():
    flags = [option.flag for store in STORES.values() for option in store.options if option.flag]
    assert len(flags) == len(set(flags))
    for store in STORES.values():
        names = [name for option in (*store.options, *SETTINGS) for name in option.keys]
        assert len(names) == len(set(names))


def test_a_dict_of_the_environments_texts_is_understood():
    memory = connect(
        {"type": "redis", "redis_host": "h", "redis_port": "6380", "redis_tls": "true"},
        timeout="5",
    )
    assert "Redis at h:6380/0" in repr(memory.backend)
    assert memory._engine.settings.timeout == 5
    config = {"type": "redis", "redis_host": "h", "redis_port": "6380", "redis_db": "2"}
    with HistoryService({**config, "max_turns": "7"}, identifier="texts") as service:
        assert "Redis at h:6380/2" in repr(service.memory.backend)


@pytest.mark.parametrize(
    ("ttl", "seconds"),
    [
        (timedelta(days=30), 2_592_000),
        ("30d", 2_592_000),
        ("12h", 43_200),
        ("15m", 900),
        ("90s", 90),
        ("90", 90),
        ("0.5h", 1_800),
        (0, None),
        (None, None),
    ],
)
def test_a_lifetime_may_be_written_in_units(ttl, seconds):
    assert connect("memory://", ttl=ttl)._engine.settings.ttl == seconds
    assert connect({"type": "memory", "ttl": ttl})._engine.settings.ttl == seconds
    if isinstance(ttl, str):
        assert connect(f"memory://?ttl={ttl}")._engine.settings.ttl == seconds


@pytest.mark.parametrize("ttl", ["30 days", "-5", "d", "1e3", "nan", "1d2h", "", timedelta(-1)])
def test_what_is_no_lifetime_is_refused(ttl):
    with pytest.raises(ConfigError, match="ttl must be a number of seconds, a timedelta"):
        connect("memory://", ttl=ttl)


@pytest.mark.parametrize(
    ("store", "says"),
    [
        (
            {"type": "redis", "pool_size": 3, "redis_pool_max_size": 4},
            "pool_size is given twice, and differently: pool_size in the dict and "
            "redis_pool_max_size in the dict",
        ),
        ({"url": "redis://h?retention_days=7", "ttl": 5}, "retention_days in the URL and ttl in"),
        ({"type": "redis", "history_backend": "file"}, "type and history_backend contradict"),
        ({"type": "redis", "redis_url": "memory://"}, "redis_url contradict.*says 'memory'"),
        ("memory://?ttl=5&ttl=6", "ttl is given twice in the URL"),
        ("redis://h?redis_port=1&redis_port=2", "redis_port is given twice in the URL"),
        ("sqlite:///a.db?path=b.db", "path of the URL and path in the URL"),
    ],
)
def test_the_same_option_given_twice_is_an_error_that_names_both(store, says):
    with pytest.raises(ConfigError, match=says):
        connect(store)


# --- the environment ---


@pytest.mark.proves("B40")
def test_connect_reads_the_environment_as_the_command_line_does(monkeypatch):
    monkeypatch.setenv("THREADKEEP_HISTORY_BACKEND", "redis")
    monkeypatch.setenv("THREADKEEP_REDIS_URL", "redis://h/2?ttl=5")
    monkeypatch.setenv("THREADKEEP_REDIS_POOL_MAX_SIZE", "3")
    monkeypatch.setenv("THREADKEEP_NAMESPACE", "shop")
    for memory in (connect(), connect_by_flags({})):
        assert "Redis at h:6379/2" in repr(memory.backend)
        settings = memory._engine.settings
        assert (settings.pool_size, settings.ttl, settings.namespace) == (3, 5.0, "shop")
    assert connect(namespace="bar", ttl=None)._engine.settings.namespace == "bar"


def test_an_argument_takes_precedence_over_a_variable(monkeypatch):
    monkeypatch.setenv("THREADKEEP_REDIS_URL", "redis://other")
    monkeypatch.setenv("THREADKEEP_REDIS_POOL_MAX_SIZE", "3")
    assert "Redis at other" in repr(connect({"type": "redis"}).backend)
    memory = connect_by_flags({"redis_url": "redis://h", "redis_pool_max_size": "4"})
    assert "Redis at h" in repr(memory.backend)
    assert memory._engine.settings.pool_size == 4
    assert connect("redis://h")._engine.settings.pool_size == 16, "a URL is read as it is"


def test_a_password_of_the_environment_is_sent_to_no_url(monkeypatch):
    monkeypatch.setenv("THREADKEEP_POSTGRES_PASSWORD", "hunter2")
    by_url = connect({"type": "postgres", "url": "postgresql://ada@db"})
    by_host: Any = connect({"type": "postgres", "host": "db", "user": "ada"}).backend
    assert vars(by_url.backend)["_database"]._target.password is None
    assert by_host._database._target.password == "hunter2"


def test_variables_of_one_store_name_it_and_those_of_two_are_an_error(monkeypatch):
    monkeypatch.setenv("THREADKEEP_MONGODB_URI", "mongodb://h")
    assert "MongoDB at h" in repr(connect().backend)
    monkeypatch.setenv("THREADKEEP_REDIS_URL", "redis://h")
    with pytest.raises(ConfigError, match="set THREADKEEP_HISTORY_BACKEND to one"):
        connect()
    monkeypatch.setenv("THREADKEEP_HISTORY_BACKEND", "redis")
    assert "Redis at h" in repr(connect().backend)


def test_a_variable_that_is_not_valid_is_named(monkeypatch):
    monkeypatch.setenv("THREADKEEP_HISTORY_BACKEND", "redis")
    monkeypatch.setenv("THREADKEEP_REDIS_DB", "hunter2")
    with pytest.raises(ConfigError, match="THREADKEEP_REDIS_DB must be a whole number") as caught:
        connect()
    assert "hunter2" not in str(caught.value)


# --- paths, and first guesses ---


def test_the_home_folder_is_written_as_a_tilde(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for store in ("sqlite:///~/chat.db", {"type": "sqlite", "path": "~/chat.db"}):
        assert str(tmp_path / "chat.db") in repr(connect(store).backend)
    for folder in ("file:~/chats", "file:///~/chats", {"type": "file", "path": "~/chats"}):
        assert str(tmp_path / "chats") in repr(connect(folder).backend)


def test_first_guesses_are_told_what_to_write():
    with pytest.raises(ConfigError, match=r"'sqlite:///notes/chat\.db' is what a URL looks like"):
        connect("notes/chat.db")
    backend: Any = "sqlite:///x.db"
    with pytest.raises(ConfigError, match=r"got a str: threadkeep\.connect"):
        Memory(backend)


@pytest.mark.parametrize(
    ("text", "proposed"),
    [
        ("mydb", "'sqlite:///mydb.db' or 'file:mydb'"),
        ("/var/chats", "'sqlite:////var/chats.db' or 'file:/var/chats'"),
        ("my-chats/", "'file:my-chats/'"),
        ("postgres", "'postgresql://localhost:5432/database'"),
        ("Redis", "'redis://localhost:6379'"),
        ("memory", "'memory://'"),
        (":memory:", "'memory://'"),
        ("localhost:6379", "'redis://localhost:6379'"),
        ("db.internal:5432/chats", "'postgresql://db.internal:5432/chats'"),
        ("", "'sqlite:///threadkeep.db'"),
    ],
)
def test_what_is_no_url_is_told_the_likely_one(text, proposed):
    with pytest.raises(ConfigError) as caught:
        connect(text)
    assert str(caught.value).startswith(f"{proposed} is what a URL looks like")
    for url in proposed.replace("'", "").split(" or "):
        connect(url).close()  # no I/O yet


@pytest.mark.parametrize("text", ["hunter2", "correct horse", "sk-1234abcd", "p@ss", "X" * 61])
def test_what_may_be_a_secret_is_not_repeated(text):
    with pytest.raises(ConfigError) as caught:
        connect(text)
    assert text not in str(caught.value)


def test_a_module_that_is_missing_is_a_config_error_and_an_import_error():
    store = {"type": "custom", "module_path": "no.such.module"}
    for error in (ConfigError, ImportError):
        with pytest.raises(error, match=r"module_path: .* cannot be imported"):
            connect(store)


@pytest.mark.parametrize("kind", ["postgres", "mysql", "oracle"])
def test_sql_without_its_packages_says_what_to_install(kind):
    code = f"""
import sys, threadkeep
sys.modules["sqlalchemy"] = None
config = {{"type": "sql", "db_type": {kind!r}, "sql_database": "x", "sql_host": "h"}}
try:
    threadkeep.HistoryService(config)
except threadkeep.errors.MissingExtra as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert f'pip install "threadkeep[{kind}]"' in told


@pytest.mark.proves("A21")
def test_the_table_is_called_the_same_everywhere_but_in_the_pages_provider():
    sql = {"type": "sql", "db_type": "postgres", "host": "h", "database": "d"}
    oracle = "oracle://ada:pw@h/s"
    for store in ("postgresql://h/d", "mysql://h/d", oracle):
        assert "table_name='threadkeep'" in repr(connect(store).backend)
    assert "table_name='session_history'" in repr(connect(sql).backend)
    assert "table_name='chats'" in repr(connect({**sql, "table_name": "chats"}).backend)
    stores: Any = connect("sqlite:///chat.db").backend, connect("mysql://h/d").backend
    views = [sorted(store.views()) for store in stores]
    assert views[0] == views[1] == [f"threadkeep_{name}" for name in sorted(sql_views.VIEWS)]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://a:b@127.0.0.1:1/x",
        "mysql://a:b@127.0.0.1:1/x",
        "oracle://a:b@127.0.0.1:1/x",
        "redis://127.0.0.1:1/0",
        "redis+cluster://127.0.0.1:1",
        "mongodb://127.0.0.1:1/x",
    ],
)
def test_a_store_takes_what_a_url_says_of_its_limits(url):
    """Each is built: what the table reads must be what the store takes."""
    limits = "connect_timeout=1.5&timeout=2&pool_size=3"
    if url.startswith("postgresql"):
        limits = limits.replace("1.5", "1")  # libpq's own parameter: whole seconds
    connect(f"{url}?{limits}").close()
    kind = url.partition(":")[0].partition("+")[0]
    given = {"type": kind, "url": url, "connect_timeout": "1.5", "timeout": "2", "pool_size": "3"}
    connect(given).close()


@pytest.mark.parametrize("kind", ["postgres", "postgresql", "mysql", "oracle", "redis"])
def test_a_store_takes_a_port_as_text(kind):
    database = {"db": "0"} if kind == "redis" else {"database": "x", "user": "a"}
    connect({"type": kind, "host": "h", "port": "1234", "password": "b", **database}).close()
