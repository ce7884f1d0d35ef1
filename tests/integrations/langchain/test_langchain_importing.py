"""Conversations that LangChain's own histories wrote to a database, imported."""

from __future__ import annotations

import hashlib
import itertools
import uuid
import warnings
from datetime import UTC, datetime

import psycopg
import pytest
import sqlalchemy
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, ToolMessage

from langchain_threadkeep import ThreadkeepChatMessageHistory, import_sql
from tests.integrations.langchain.samples import MESSAGES
from tests.servers import mysql, postgres
from tests.servers.instances import fresh_table
from threadkeep import Session
from threadkeep.errors import ConfigError, NotOwner

SAID = [
    HumanMessage("weather? \N{SUN BEHIND CLOUD}", id="u"),
    AIMessage("", tool_calls=[{"name": "weather", "args": {"city": "Lisbon"}, "id": "c"}]),
    ToolMessage("21", tool_call_id="c", artifact={"rows": [1]}),
    AIMessage("warm", usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}),
]


def community(name):
    with warnings.catch_warnings():  # that langchain-community is no longer developed
        warnings.simplefilter("ignore")
        from langchain_community import chat_message_histories

        return getattr(chat_message_histories, name)


@pytest.fixture
def old(tmp_path):
    """A file of the real `SQLChatMessageHistory`, and how to write more to it."""
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/old.db")

    def write(session, *messages, **options):
        history = community("SQLChatMessageHistory")(session, connection=engine, **options)
        history.add_messages(messages)
        return history

    write.path = tmp_path / "old.db"
    write.url = f"sqlite:///{write.path}"
    yield write
    engine.dispose()


def ours(memory, session, user=None):
    return ThreadkeepChatMessageHistory(session, memory, user=user).messages


@pytest.mark.proves("C9")
def test_every_message_comes_over_in_order_and_the_source_is_untouched(memory, old):
    old("a", *SAID)
    old("b", *(HumanMessage(f"m{n}") for n in range(1_200)))
    before = hashlib.sha256(old.path.read_bytes()).hexdigest()
    assert import_sql(old.url, memory, user="ada") == {"a": 4, "b": 1_200}
    assert ours(memory, "a", "ada") == SAID
    assert [message.text for message in ours(memory, "b")] == [f"m{n}" for n in range(1_200)]
    assert memory.session("a").info().user == "ada"
    assert hashlib.sha256(old.path.read_bytes()).hexdigest() == before


@pytest.mark.proves("C9")
def test_messages_of_every_type_come_as_the_peer_gives_them_back(memory, old):
    kept = {}
    for name, message in MESSAGES.items():
        try:
            kept[name] = old(name, message).messages
        except TypeError:
            continue  # what is not JSON, it cannot keep
    import_sql(old.url, memory)
    for name, messages in kept.items():
        assert ours(memory, name) == messages, name
    assert len(kept) > 20


@pytest.mark.proves("C9")
def test_repeated_it_adds_only_what_is_new(memory, old):
    old("a", *SAID)
    import_sql(old.url, memory)
    old("a", HumanMessage("later"))
    ThreadkeepChatMessageHistory("a", memory).add_user_message("meanwhile, here")
    assert import_sql(old.url, memory) == {"a": 5}
    assert [m.text for m in ours(memory, "a")[4:]] == ["meanwhile, here", "later"]


def test_one_that_broke_off_goes_on_where_it_stopped(memory, old, monkeypatch):
    old("a", *(HumanMessage(f"m{n}") for n in range(1_200)))
    add, batches = Session.add, itertools.count(1)

    def breaks(chat, *items):
        if next(batches) == 2:
            raise KeyboardInterrupt
        return add(chat, *items)

    monkeypatch.setattr(Session, "add", breaks)
    with pytest.raises(KeyboardInterrupt):
        import_sql(old.url, memory)
    monkeypatch.undo()
    assert 0 < len(ours(memory, "a")) < 1_200
    import_sql(old.url, memory)
    assert [message.text for message in ours(memory, "a")] == [f"m{n}" for n in range(1_200)]


def test_two_tables_may_share_a_session(memory, old):
    old("a", HumanMessage("one"))
    old("a", HumanMessage("two"), table_name="other")
    import_sql(old.url, memory)
    import_sql(old.url, memory, table_name="other")
    assert [message.text for message in ours(memory, "a")] == ["one", "two"]


class Mood(BaseMessage):
    """As applications derive them: the peer writes it, and can read nothing of the session then."""

    type: str = "mood"
    level: int = 3


def test_a_type_that_the_peer_cannot_read_back_is_saved(memory, old):
    old("a", HumanMessage("hi"), Mood("cheerful"))
    import_sql(old.url, memory)
    _, mood = ours(memory, "a")
    assert mood == ChatMessage("cheerful", role="mood", level=3)


def test_a_row_that_is_no_message_hides_no_other(memory, old, caplog):
    old("a", *SAID)
    engine = sqlalchemy.create_engine(old.url)
    with engine.begin() as connection:
        for number, row in ((1, "{"), (2, "[]"), (3, '{"type": "human"}')):
            set_row = sqlalchemy.text("UPDATE message_store SET message = :row WHERE id = :number")
            connection.execute(set_row, {"row": row, "number": number})
    engine.dispose()
    assert import_sql(old.url, memory) == {"a": 1}
    assert ours(memory, "a") == SAID[3:]
    logged = [record.getMessage() for record in caplog.records]
    assert [line.split(" is not a message")[0] for line in logged] == [
        f"row {number} of message_store" for number in (1, 2, 3)
    ]


def test_a_session_of_somebody_else_is_left_alone(memory, old):
    old("a", *SAID)
    memory.session("a", user="eve").add("mine")
    with pytest.raises(NotOwner):
        import_sql(old.url, memory, user="ada")
    assert [item.text for item in memory.session("a").items()] == ["mine"]


def test_what_is_not_there_is_named_and_not_made(memory, old, tmp_path):
    old("a", *SAID)
    with pytest.raises(ConfigError, match="elsewhere"):
        import_sql(old.url, memory, table_name="elsewhere")
    with pytest.raises(ConfigError, match="nowhere"):
        import_sql(f"sqlite:///{tmp_path}/nowhere.db", memory)
    assert not (tmp_path / "nowhere.db").exists()
    with pytest.raises(ConfigError, match="URL"):
        import_sql("no url at all", memory)
    with pytest.raises(ConfigError, match="not a table"):
        import_sql(old.url, memory, session_id_field_name="conversation")


@pytest.fixture
def tables():
    """The database and fresh names in it; the tables are dropped at the end."""
    url, made = postgres.url(), []

    def name():
        made.append(fresh_table())
        return made[-1]

    with psycopg.connect(url) as connection:
        yield connection, url, name
        connection.rollback()
        for table in made:
            connection.execute(f'DROP TABLE IF EXISTS "{table}"')


@pytest.mark.proves("C9")
def test_langchain_postgres_with_its_dates(memory, tables):
    from langchain_postgres import PostgresChatMessageHistory

    connection, url, name = tables
    table, session = name(), str(uuid.uuid4())
    PostgresChatMessageHistory.create_tables(connection, table)
    history = PostgresChatMessageHistory(table, session, sync_connection=connection)
    history.add_messages(SAID)
    history.add_messages([HumanMessage(f"m{n}") for n in range(1_200)])
    for _ in range(2):
        assert import_sql(url, memory, table_name=table) == {session: 1_204}
    assert ours(memory, session)[:4] == SAID == history.messages[:4]
    said = memory.session(session).items(limit=1)[0].created_at
    (at,) = connection.execute(f"SELECT created_at FROM {table} ORDER BY id LIMIT 1").fetchone()
    assert said == at
    assert (datetime.now(UTC) - said).total_seconds() >= 0


def test_the_postgresql_history_of_langchain_community(memory, tables):
    _, url, name = tables
    table = name()
    with warnings.catch_warnings():  # that it is deprecated
        warnings.simplefilter("ignore")
        history = community("PostgresChatMessageHistory")("a", url, table)
    history.add_messages(SAID)
    assert import_sql(url, memory, table_name=table) == {"a": 4}
    assert ours(memory, "a") == SAID == history.messages


@pytest.mark.parametrize("server", [postgres, mysql], ids=["postgresql", "mysql"])
def test_sql_histories_on_servers(memory, server):
    table = fresh_table()
    scheme, _, rest = server.url().partition("://")
    driver = {"postgresql": "psycopg", "mysql": "pymysql"}[scheme]
    engine = sqlalchemy.create_engine(f"{scheme}+{driver}://{rest}")
    history = community("SQLChatMessageHistory")("a", table, connection=engine)
    history.add_messages(SAID)
    try:
        assert import_sql(server.url(), memory, table_name=table) == {"a": 4}
        assert import_sql(engine, memory, table_name=table) == {"a": 4}
        assert ours(memory, "a") == SAID
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {table}")
        engine.dispose()
