"""Sessions written by the SDK's own `SQLiteSession`, imported."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from contextlib import closing

import pytest
from agents import SQLiteSession

from openai_agents_threadkeep import ThreadkeepSession, import_sqlite
from tests.integrations.openai_agents.test_agents_session import ITEMS, told
from threadkeep.errors import ConfigError, NotOwner


def theirs(path, **sessions):
    async def story():
        for name, items in sessions.items():
            session = SQLiteSession(name, path)
            await session.add_items(items)
            session.close()

    asyncio.run(story())


def ours(memory, name):
    return asyncio.run(ThreadkeepSession(name, memory).get_items())


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "agents.db"
    theirs(path, a=ITEMS, b=[told(f"m{n}") for n in range(1_200)])
    return path


@pytest.mark.proves("C9")
def test_every_item_comes_over_verbatim_and_the_source_is_untouched(path, memory):
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    assert import_sqlite(path, memory, user="ada") == {"a": len(ITEMS), "b": 1_200}
    assert ours(memory, "a") == ITEMS
    assert len(ours(memory, "b")) == 1_200
    assert memory.session("a").info().user == "ada"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


@pytest.mark.proves("C9")
def test_repeated_it_adds_only_what_is_new(path, memory):
    import_sqlite(path, memory)
    theirs(path, a=[told("later")])
    asyncio.run(ThreadkeepSession("a", memory).add_items([told("meanwhile, here")]))
    import_sqlite(path, memory)
    assert ours(memory, "a") == [*ITEMS, told("meanwhile, here"), told("later")]
    assert len(ours(memory, "b")) == 1_200


def test_broken_rows_are_passed_over(path, memory):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE agent_messages SET message_data = '{' WHERE id = 1")
    import_sqlite(path, memory)
    assert ours(memory, "a") == ITEMS[1:]


def test_a_session_of_somebody_else_is_left_alone(path, memory):
    memory.session("a", user="eve").add("mine")
    with pytest.raises(NotOwner):
        import_sqlite(path, memory, user="ada")
    assert [item.text for item in memory.session("a").items()] == ["mine"]


def test_what_is_no_such_file_is_named(tmp_path, memory):
    with pytest.raises(ConfigError, match="nowhere"):
        import_sqlite(tmp_path / "nowhere.db", memory)
    assert not (tmp_path / "nowhere.db").exists()
    with pytest.raises(ConfigError, match="messages_table"):
        import_sqlite(tmp_path / "nowhere.db", memory, messages_table="a; DROP")
