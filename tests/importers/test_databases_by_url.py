"""Servers as sources: what the frameworks' own classes wrote there comes over, by URL."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import uuid
from typing import Any

import pytest
import redis as redis_driver
import sqlalchemy
from langchain_core.messages import AIMessage, HumanMessage, message_to_dict
from pymongo import MongoClient

import threadkeep
from langchain_threadkeep import ThreadkeepChatMessageHistory
from openai_agents_threadkeep import ThreadkeepSession
from tests.importers import peers
from tests.importers.conftest import said
from tests.servers import mongodb, mysql, postgres, redis
from threadkeep import import_chats
from threadkeep.errors import BackendError, ConfigError
from threadkeep.testing import assert_valid

pytestmark = pytest.mark.slow  # servers
_NUMBERS = itertools.count()


def fresh() -> str:
    return f"import_{os.getpid()}_{next(_NUMBERS)}"


def in_database(url: str, name: str) -> str:
    return f"{url.rpartition('/')[0]}/{name}"


@pytest.fixture
def pg():
    """The URL of an empty database."""
    name, url = fresh(), postgres.url()
    postgres.shared().run(f"CREATE DATABASE {name}")
    yield in_database(url, name)
    postgres.shared().run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def maria():
    """The URL of an empty database."""
    name, url = fresh(), mysql.url()
    mysql.shared().run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield in_database(url, name)
    mysql.shared().run(f"DROP DATABASE {name}")


@pytest.fixture
def keys():
    """The URL of an empty Redis."""
    server = redis.Redis()
    yield server.url()
    server.remove()


@pytest.fixture
def collection():
    """An empty collection of MongoDB."""
    client: MongoClient[Any] = MongoClient(mongodb.url())
    with client:
        yield client[fresh()].message_store


def restored(memory, session):
    return ThreadkeepChatMessageHistory(session, memory).messages


def texts(messages):
    return [(message.type, message.content) for message in messages]


@pytest.mark.parametrize("server", ["pg", "maria"])
def test_sql_histories_of_langchain(memory, server, request):
    url = request.getfixturevalue(server)
    read = peers.langchain_sql(url, "s1")
    peers.langchain_sql(url, "s2", peers.MESSAGES[:1])
    report = import_chats(memory, url, user="ada")
    assert (report.sessions, report.messages, report.skipped) == (2, 5, [])
    assert restored(memory, "s1") == read
    assert memory.session("s1").info().user == "ada"
    peers.langchain_sql(url, "s1", [HumanMessage("later")])
    again = import_chats(memory, url, user="ada")
    assert (again.messages, again.existing, again.skipped) == (1, 5, [])
    assert restored(memory, "s1")[-1].content == "later"


def test_both_postgres_histories_of_langchain(memory, pg):
    session = uuid.uuid4()
    new, old = peers.langchain_postgres(pg, session), peers.old_postgres(pg, "s1")
    dry = import_chats(memory, pg, dry_run=True)
    assert (dry.sessions, dry.messages, list(memory.sessions())) == (2, 8, [])
    report = import_chats(memory, pg.replace("postgresql://", "postgresql+asyncpg://"))
    assert (report.sessions, report.messages, report.skipped) == (2, 8, [])
    assert restored(memory, str(session)) == new
    assert restored(memory, "s1") == old


@pytest.mark.parametrize(("server", "driver"), [("pg", "asyncpg")])
def test_sql_sessions_of_the_agents_sdk(memory, server, driver, request):
    url = request.getfixturevalue(server)
    read = peers.agents_sql(url, "s1", driver)
    report = import_chats(memory, url, user="ada")
    assert (report.messages, report.skipped) == (4, [])
    assert_valid(memory.session("s1").window().to_responses(), provider="responses")
    items = asyncio.run(ThreadkeepSession("s1", memory, user="ada").get_items())
    assert [plain(item) for item in items] == [plain(item) for item in read]


def plain(item):
    """An entry without what a stranger may not send on, the texts of an answer as one."""
    fields = {key: value for key, value in item.items() if key not in ("id", "status")}
    if isinstance(item.get("content"), list):
        fields["content"] = "\n".join(part["text"] for part in item["content"])
    return fields


def test_stores_of_llama_index_in_postgresql(memory, pg):
    peers.llama_sql(pg, "k1", "asyncpg")
    peers.llama_postgres(pg, "k2")
    report = import_chats(memory, pg)
    assert (report.sessions, report.messages, report.skipped) == (2, 4, [])
    assert said(memory, "k1") == said(memory, "k2") == [("user", "Hi"), ("assistant", "Yes?")]
    assert import_chats(memory, pg).existing == 4


def test_lists_in_redis(memory, keys):
    read = peers.langchain_redis(keys, "s1")
    peers.llama_redis(keys, "k1")
    items = peers.agents_redis(keys, "a1")
    with redis_driver.Redis.from_url(keys) as client:
        client.rpush("jobs", "not json", "{}")
        client.set("other", "text")
    report = import_chats(memory, keys)
    assert (report.sessions, report.messages, report.skipped) == (3, 10, [])
    assert restored(memory, "s1") == read
    assert said(memory, "k1") == [("user", "Hi"), ("assistant", "Yes?")]
    assert len(memory.session("a1").items()) == len(items)
    assert import_chats(memory, keys).existing == 10


@pytest.mark.parametrize("length", [499, 500, 501, 1_203])
def test_long_lists_in_redis_come_whole_and_in_order(memory, keys, length):
    with redis_driver.Redis.from_url(keys) as client, client.pipeline() as batch:
        for n in range(length):
            message = HumanMessage(f"m{n}") if n % 2 == 0 else AIMessage(f"m{n}")
            batch.lpush("message_store:s1", json_text(message))
        batch.execute()
    import_chats(memory, keys)
    assert [text for _, text in said(memory, "s1")] == [f"m{n}" for n in range(length)]


def json_text(message):
    return json.dumps(message_to_dict(message))


def test_histories_in_mongodb(memory, collection):
    peers.langchain_mongodb(collection, "s1")
    peers.langchain_mongodb(collection, "s2")
    collection.database.other.insert_one({"name": "x"})
    collection.insert_one({"SessionId": "s2", "History": "no json"})
    url = f"{mongodb.url()}/{collection.database.name}"
    report = import_chats(memory, url)
    assert (report.sessions, report.messages, report.skipped_count) == (2, 8, 1)
    assert restored(memory, "s1") == peers.MESSAGES
    assert import_chats(memory, url).existing == 8


def test_a_mongodb_url_without_a_database_means_all_of_them(memory):
    server = mongodb.Mongo()
    with MongoClient[Any](server.url()) as client:
        peers.langchain_mongodb(client.chat_history.message_store, "s1")
        peers.langchain_mongodb(client.other.histories, "s2")
    assert import_chats(memory, server.url()).sessions == 2
    server.instance.remove()


def test_an_sqlite_url_is_its_file(memory, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    engine = sqlalchemy.create_engine("sqlite:///lc.db")
    peers.community("SQLChatMessageHistory")("s1", connection=engine).add_messages(peers.MESSAGES)
    engine.dispose()
    for url in ("sqlite:///lc.db", f"sqlite+aiosqlite:///{tmp_path}/lc.db?timeout=3"):
        import_chats(memory, url)
    assert len(memory.session("s1").items()) == 4
    with pytest.raises(ConfigError, match="no file"):
        import_chats(memory, "sqlite:///missing.db")


@pytest.mark.parametrize("scheme", ["postgresql", "mysql", "redis", "mongodb"])
def test_a_server_that_does_not_answer_is_named_without_its_password(memory, scheme, monkeypatch):
    monkeypatch.setattr("threadkeep.importers.servers.mongodb._TIMEOUT", 500)  # milliseconds
    url = f"{scheme}://ada:s3cret@127.0.0.1:1/chat?serverSelectionTimeoutMS=200"
    if scheme in ("postgresql", "mysql", "redis"):
        url = url.partition("?")[0].replace("redis://ada:s3cret@127.0.0.1:1/chat", REDIS)
    with pytest.raises(BackendError, match=r"127\.0\.0\.1") as caught:
        import_chats(memory, url)
    assert "s3cret" not in str(caught.value)


REDIS = "redis://ada:s3cret@127.0.0.1:1/0"


@pytest.mark.parametrize("url", ["postgres", "oracle", "htp", "https", "ftp"])
def test_another_scheme_says_which_there_are(memory, url):
    with pytest.raises((ConfigError, BackendError)) as caught:
        import_chats(memory, f"{url}://ada:s3cret@127.0.0.1:1/x")
    assert "s3cret" not in str(caught.value)


def test_our_own_store_is_named(memory, pg):
    with threadkeep.connect(pg) as own:
        own.session("x").add("Hi")
    [skipped] = import_chats(memory, pg).skipped
    assert "threadkeep copy" in skipped.reason


@pytest.mark.parametrize("server", ["pg", "keys"])
def test_an_empty_server_says_that_nothing_was_recognised(memory, server, request):
    [skipped] = import_chats(memory, request.getfixturevalue(server)).skipped
    assert "recognised" in skipped.reason
