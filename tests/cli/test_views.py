"""`threadkeep views`, and what the stores say that have none."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing

import pytest
import sqlglot

from threadkeep import connect
from threadkeep.api import sql_views
from threadkeep.backends.encrypted import new_key
from threadkeep.backends.sql import names
from threadkeep.backends.sql.oracle import Oracle
from threadkeep.backends.sql.url import DatabaseTarget
from threadkeep.backends.sql.views import Views
from threadkeep.errors import ConfigError

SQLITE = "sqlite:///chat.db"
VIEWS = [
    "threadkeep_messages",
    "threadkeep_responses",
    "threadkeep_token_usage",
    "threadkeep_feedback",
]


@pytest.fixture
def chat():
    with connect(SQLITE) as memory:
        memory.session("chat", user="ada").add("Hello")


def rows(statement):
    with closing(sqlite3.connect("chat.db")) as connection:
        return connection.execute(statement).fetchall()


@pytest.mark.proves("B58")
def test_created_shown_and_dropped(cli, chat):
    assert cli("views", "create", "--url", SQLITE).out.split() == [
        word for name in VIEWS for word in (name, "made")
    ]
    assert rows("SELECT user_id, content FROM threadkeep_messages") == [("ada", "Hello")]
    shown = cli("views", "show", "--url", SQLITE).out
    assert shown.count("CREATE VIEW") == 4
    assert cli("views", "drop", "--url", SQLITE).out.count("dropped") == 4
    assert cli("views", "drop", "--url", SQLITE) == (0, "", "")
    with closing(sqlite3.connect("chat.db")) as connection:
        connection.executescript(shown)
    assert rows("SELECT count(*) FROM threadkeep_messages") == [(1,)]


def test_a_store_with_views_is_ours_still(cli, chat):
    cli("views", "create", "--url", SQLITE)
    assert cli("doctor", "--url", SQLITE).code == 0
    assert cli("copy", SQLITE, "sqlite:///new.db").code == 0


def test_a_store_that_is_not_there_is_not_made(cli, folder):
    said = cli("views", "create", "--url", SQLITE)
    assert said.code == 1
    assert "does not exist" in said.err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("url", ["file:chats", "memory://", "none://"])
@pytest.mark.parametrize("act", ["create", "show"])
def test_a_store_without_sql_says_what_to_do_instead(cli, url, act):
    said = cli("views", act, "--url", url)
    assert said.code == 2
    assert "knows no SQL" in said.err
    assert "threadkeep export" in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("known", [True, False])
def test_of_an_encrypted_store_they_would_see_nothing(cli, monkeypatch, known):
    key = new_key()
    with connect(SQLITE, key=key) as memory:
        memory.session("chat").add("Hello")
    if known:
        monkeypatch.setenv("THREADKEEP_KEY", key)
    said = cli("views", "create", "--url", SQLITE)
    assert said.code == 2
    assert "encrypted, so views would see nothing" in said.err
    assert rows("SELECT count(*) FROM sqlite_master WHERE type = 'view'") == [(0,)]


def test_beneath_what_watches_the_store(chat):
    with connect(SQLITE, observe=True) as memory:
        assert sql_views.create(memory) == VIEWS


async def acted():
    with connect(SQLITE) as memory:
        return await sql_views.acreate(memory), await sql_views.adrop(memory)


def test_from_async_code(chat):
    assert asyncio.run(acted()) == (VIEWS, VIEWS)


def test_the_memory_needs_no_sql_to_be_told(chat):
    with connect("memory://") as memory, pytest.raises(ConfigError, match="knows no SQL"):
        sql_views.create(memory)


def test_views_of_before_a_key_can_still_be_dropped(cli, chat, monkeypatch):
    cli("views", "create", "--url", SQLITE)
    monkeypatch.setenv("THREADKEEP_KEY", new_key())
    assert cli("views", "drop", "--url", SQLITE).out.count("dropped") == 4


def oracle():
    own = names.parse("chat")
    return Views(Oracle(DatabaseTarget("oracle", host="db"), own), own).statements()


@pytest.mark.parametrize("name", oracle())
def test_for_oracle_they_are_of_its_grammar(name):
    text = re.sub(r"(JSON_QUERY\([^)]*) RETURNING CLOB NULL ON ERROR", r"\1", oracle()[name])
    # the words left out are Oracle's own, which sqlglot does not know behind a query
    tree = sqlglot.parse_one(text, dialect="oracle", error_level=sqlglot.ErrorLevel.RAISE)
    assert not isinstance(tree, sqlglot.exp.Command), "not understood"
    assert text.startswith(f'CREATE OR REPLACE VIEW "{name.upper()}" AS SELECT ')
    assert not tree.find(sqlglot.exp.Limit)
