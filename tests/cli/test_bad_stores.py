"""Each command on each store that is not right: one line, its exit code, nothing half done."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import redis as driver

from tests.servers import postgres, redis
from tests.servers.instances import free_port, fresh_table
from threadkeep import connect
from threadkeep.backends.encrypted import new_key
from threadkeep.backends.sqlite import SqliteBackend

pytestmark = pytest.mark.slow

COMMANDS = {
    "doctor": ["doctor"],
    "sessions": ["sessions"],
    "users": ["users"],
    "facts": ["facts", "ada"],
    "instructions": ["instructions", "ada"],
    "files": ["files", "chat"],
    "stats": ["stats"],
    "feedback": ["feedback"],
    "show": ["show", "chat"],
    "export": ["export", "--all", "--output", "out.jsonl"],
    "import": ["import", "in.jsonl"],
    "sweep": ["sweep"],
    "repair": ["repair", "--fix"],
    "forget": ["forget", "ada", "--yes"],
    "recall": ["recall", "ada", "hello"],
    "extract": ["extract", "--model", "m", "--base-url", "http://127.0.0.1:9/v1"],
    "views": ["views", "create"],
    "rekey": ["rekey"],
    "copy from": ["copy", "URL", "sqlite:///new.db"],
    "copy to": ["copy", "sqlite:///good.db", "URL"],
}
SECRET = "hunter2"
KEY = new_key()


def dead_postgres():
    return f"postgresql://ada:{SECRET}@127.0.0.1:{free_port()}/chats?timeout=2"


def dead_redis():
    return f"redis://:{SECRET}@127.0.0.1:{free_port()}/0?timeout=2"


def place_of_postgres():
    return postgres.shared().url().rpartition("@")[2].rpartition("/")[0]


def wrong_password_of_postgres():
    return f"postgresql://postgres:{SECRET}@{place_of_postgres()}/postgres"


def database(*statements):
    """A new database, in which these were run."""
    name = fresh_table()
    url = f"{postgres.shared().url().rpartition('/')[0]}/{name}"
    postgres.shared().run(f'CREATE DATABASE "{name}"')
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
    return url


def another_table_in_postgres():
    return database("CREATE TABLE threadkeep (x integer)")


def newer_postgres():
    url = database()
    with connect(url) as memory:
        memory.session("chat").add("Hello")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE threadkeep_meta SET version = 99")
    return url


def no_permission_in_postgres():
    user = fresh_table()
    url = database(f"CREATE ROLE {user} LOGIN PASSWORD '{SECRET}'")
    with connect(url) as memory:
        memory.session("chat").add("Hello")
    return f"postgresql://{user}:{SECRET}@{url.rpartition('@')[2]}"


@pytest.fixture(scope="module")
def guarded():
    """A Redis with a password, and a user who may do nothing."""
    server = redis.Redis("--requirepass", redis.SECRET)
    with driver.Redis(port=server.port, password=redis.SECRET) as client:
        client.execute_command("ACL", "SETUSER", "eve", "on", f">{SECRET}", "+ping", "+hello")
    yield server
    server.remove()


def a_file_of_others():
    with closing(sqlite3.connect("theirs.db")) as connection:
        connection.execute("CREATE TABLE threadkeep (x)")
    return "sqlite:///theirs.db"


def newer_sqlite():
    with connect("sqlite:///newer.db") as memory:
        memory.session("chat").add("Hello")
    with closing(sqlite3.connect("newer.db")) as connection:
        connection.execute("PRAGMA user_version=99")
    return "sqlite:///newer.db"


def torn_sqlite():
    with connect("sqlite:///torn.db") as memory:
        memory.session("chat", user="ada").add(*["x" * 500] * 500)
    whole = Path("torn.db").read_bytes()
    Path("torn.db").write_bytes(whole[:100] + os.urandom(8_092) + whole[8_192:40_000])
    return "sqlite:///torn.db"


def no_sqlite_at_all():
    Path("text.db").write_text("This is a letter to my aunt.\n" * 100)
    return "sqlite:///text.db"


def a_folder_for_a_file():
    Path("folder.db").mkdir()
    return "sqlite:///folder.db"


def in_no_folder():
    return "sqlite:///nowhere/chat.db"


def beneath_a_file():
    Path("plain").write_text("x")
    return "sqlite:///plain/chat.db"


def a_file_for_a_folder():
    Path("plain.txt").write_text("x")
    return "file:plain.txt"


def a_folder_of_others():
    Path("photos").mkdir()
    Path("photos", "aunt.txt").write_text("x")
    return "file:photos"


STORES = {
    "no such kind": lambda: f"nosuch://ada:{SECRET}@host/db",
    "no such option": lambda: f"postgresql://ada:{SECRET}@host/db?sslmod=require",
    "a dead postgres": dead_postgres,
    "a wrong password of postgres": wrong_password_of_postgres,
    "another table in postgres": another_table_in_postgres,
    "a newer postgres": newer_postgres,
    "no permission in postgres": no_permission_in_postgres,
    "a dead redis": dead_redis,
    "a file of others": a_file_of_others,
    "a newer sqlite": newer_sqlite,
    "a torn sqlite": torn_sqlite,
    "no sqlite at all": no_sqlite_at_all,
    "a folder for a file": a_folder_for_a_file,
    "in no folder": in_no_folder,
    "beneath a file": beneath_a_file,
    "a file for a folder": a_file_for_a_folder,
    "a folder of others": a_folder_of_others,
}
USAGE = {"no such kind", "no such option"}
NO_SQL = {"a dead redis", "a file for a folder", "a folder of others"}  # so there are no views


@pytest.fixture
def good(folder):
    """A store to copy from, an export to import, and what is in the folder."""
    with connect("sqlite:///good.db") as memory:
        memory.session("good", user="ada").add("Hello")
    Path("in.jsonl").write_text(
        '{"threadkeep":"export","schema":1}\n'
        '{"session":"s","kind":"session","id":"session","at":1.0,'
        '"body":{"id":"s","created_at":1.0}}\n'
    )


def files():
    return {
        str(path): path.read_bytes()
        for path in Path().rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def run(cli, command, url):
    if command.startswith("copy"):
        return cli(*(url if word == "URL" else word for word in COMMANDS[command]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "none")
        if command == "rekey":
            patch.setenv("THREADKEEP_KEY", KEY)
        return cli(*COMMANDS[command], "--url", url)


def refused(said, command, code):
    """One line that says what is wrong, and no secret."""
    assert SECRET not in said.out + said.err
    assert "Traceback" not in said.out + said.err
    if command == "doctor" and code == 1:
        assert said.code == 1, said
        assert "fail" in said.out
        assert said.err == ""
        return
    assert said.code == code, said
    assert said.err.startswith("threadkeep: "), said.err
    assert said.err.count("\n") == 1, said.err
    assert said.out == ""


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", STORES)
def test_a_store_that_is_not_right(cli, good, kind, command):
    url = STORES[kind]()
    before = files()
    wrong = kind in USAGE or (command == "views" and kind in NO_SQL)
    refused(run(cli, command, url), command, 2 if wrong else 1)
    after = files()
    assert {name: after.get(name) for name in before} == before
    assert not {"out.jsonl", "new.db"} & after.keys()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("user", ["", "eve"])
def test_a_redis_that_lets_nobody_in(cli, good, guarded, user, command):
    password = SECRET if user else "wrong-" + SECRET
    url = f"redis://{user}:{password}@127.0.0.1:{guarded.port}/0"
    refused(run(cli, command, url), command, 2 if command == "views" else 1)
    with driver.Redis(port=guarded.port, password=redis.SECRET) as client:
        assert client.dbsize() == 0
    assert not {"out.jsonl", "new.db"} & files().keys()


class Interrupting:
    """A verb of a store that is met by Ctrl-C at its n-th call."""

    def __init__(self, verb, number):
        self.verb, self.left = verb, number

    def __get__(self, backend, _):
        return lambda *args, **how: self(backend, *args, **how)

    def __call__(self, backend, *args, **how):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return self.verb(backend, *args, **how)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "rekey"])
@pytest.mark.parametrize("verb", ["read", "commit", "streams"])
def test_ctrl_c_at_any_step_leaves_nothing_half_done(cli, good, monkeypatch, command, verb):
    """Interrupted at its first call of the store, then at its second, until it comes through."""
    own = getattr(SqliteBackend, verb)
    url = "sqlite:///good.db" if command in ("copy from", "export", "show") else "sqlite:///to.db"
    if command not in ("copy from", "copy to"):
        with connect(url) as memory:
            memory.session("chat", user="ada").add("Hello")
    for number in range(1, 100):
        interrupting = Interrupting(own, number)
        monkeypatch.setattr(SqliteBackend, verb, interrupting)
        said = run(cli, command, url)
        monkeypatch.setattr(SqliteBackend, verb, own)
        if interrupting.left > 0:
            break
        assert said.code == 130
        assert "Traceback" not in said.err
        assert not Path("out.jsonl").exists()
    dead_model = command == "extract"
    assert said.code == 0 or (dead_model and said.code == 1), said
