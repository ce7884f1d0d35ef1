"""After a user was forgotten, their words are nowhere in what the store has written down."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis as driver
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from tests.servers import mongodb, postgres, redis
from tests.servers.instances import fresh_table, promised
from threadkeep import Backend, connect
from threadkeep.backends.file import FileBackend
from threadkeep.backends.mongodb import MongoBackend
from threadkeep.backends.redis import RedisBackend
from threadkeep.backends.sql import SqlBackend
from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.sessions.derived import stream as session_stream
from threadkeep.types import Record


class Store(NamedTuple):
    """A store, everything that it has written down, as bytes, and how much it is to bear."""

    backend: Backend
    written: Callable[[], bytes]
    sessions: int = 12


def folder(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.rglob("*") if file.is_file())


def _sqlite(path: Path) -> Store:
    return Store(SqliteBackend(path / "chat.db"), lambda: folder(path))


def _file(path: Path) -> Store:
    return Store(FileBackend(path / "chats"), lambda: folder(path))


def _redis(path: Path) -> Store:
    prefix = fresh_table()
    return Store(RedisBackend(redis.url(), prefix=prefix), lambda: keys(prefix))


def keys(prefix: str) -> bytes:
    """The names and contents of all keys."""
    ask: dict[str, Callable[[Any, bytes], object]] = {
        "string": lambda client, key: client.get(key),
        "hash": lambda client, key: client.hgetall(key),
        "zset": lambda client, key: client.zrange(key, 0, -1),
        "list": lambda client, key: client.lrange(key, 0, -1),
        "set": lambda client, key: client.smembers(key),
    }
    with driver.Redis.from_url(redis.url()) as client:
        found = [
            (key, ask[client.type(key).decode()](client, key))
            for key in client.scan_iter(f"*{prefix}*")
        ]
    return repr(found).encode()


def _postgres(path: Path) -> Store:
    table = fresh_table()
    backend = SqlBackend(postgres.url(), table_name=table)
    return Store(backend, lambda: dump(table))


def dump(table: str) -> bytes:
    initdb = (postgres.programs() / "initdb").resolve()  # a link, on some machines
    program = shutil.which("pg_dump") or initdb.with_name("pg_dump")
    command = [program, "--data-only", "-t", f"{table}*", postgres.url()]
    return subprocess.run(command, capture_output=True, check=True).stdout


def _mongodb(path: Path) -> Store:
    name = fresh_table()
    backend = MongoBackend(mongodb.url(), collection=name)
    return Store(backend, lambda: documents(name), 12 if mongodb.share() == 1 else 4)


def documents(name: str) -> bytes:
    """Every document of the collection as it lies there, marks of what was dropped among them."""
    with MongoClient(mongodb.url(), document_class=RawBSONDocument) as client:
        return b"".join(found.raw for found in client["history_db"][name].find())


STORES = {
    "sqlite": _sqlite,
    "file": _file,
    "redis": _redis,
    "postgres": _postgres,
    "mongodb": _mongodb,
}


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    try:
        made = STORES[request.param](tmp_path)
    except pytest.skip.Exception as skipped:
        if request.param in promised():
            pytest.fail(f"{request.param} was promised by THREADKEEP_TEST_REQUIRE: {skipped}")
        raise
    yield made
    made.backend.close()


class Words:
    """Words that nobody else says; `said` are all of them so far."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.said: list[str] = []

    def __call__(self, times: int = 1) -> str:
        self.said.append(f"{self.user}{os.urandom(12).hex()}")
        return " ".join([self.said[-1]] * times)


def live(memory, user: str, words: Words, sessions: int) -> None:
    """Everything that can be stored of a user, some of it changed and deleted again."""
    ada = memory.user(user)
    for number in range(sessions):
        chat = ada.session(f"{user} {number}", metadata={"m": words()})
        items = chat.add(
            *(words(times) for times in (1, 3, 40, 400)),
            {"role": "assistant", "content": [{"type": "text", "text": words()}]},
            {"role": "user", "content": words(), "metadata": {"note": words()}},
        )
        chat.update(title=words())
        chat.files.add({"url": f"https://{words()}", "about": words()})
        chat.replace(items[0].id, words(9))
        chat.remove(items[1].id)
        said = {"id": f"{user} r{number}", "model": "m", "status": "completed", "output": []}
        memory.responses.add({**said, "metadata": {"w": words()}}, conversation=chat.id, user=user)
        memory.feedback.add(f"{user} r{number}", rating="positive", comment=words())
        fact = ada.facts.add(words(), sources=[(chat.id, items[2])])
        ada.facts.add(words(), replaces=fact.id)
        ada.facts.forget(ada.facts.add(words()).id)
        ada.instructions.add(words())
        if number % 4 == 0:
            chat.clear(keep_last=1)
        if number % 5 == 0:
            chat.delete()
        else:
            _summarise(memory, chat.id, words())


def _summarise(memory, session: str, text: str) -> None:
    stream = session_stream(memory._engine, "summary", session)
    record = Record("summary", "summary", f'{{"text": "{text}"}}', memory._engine.now())
    memory._engine.longterm.commit(stream, put=[record], ttl=None)


@pytest.mark.proves("B55")
def test_no_word_and_no_piece_of_one_is_left(store):
    ada, bob = Words("ada"), Words("bob")
    with connect(store.backend) as memory:
        live(memory, "bob", bob, store.sessions)
        live(memory, "ada", ada, store.sessions)
        live(memory, "bob2", bob, store.sessions)
        written = store.written()
        assert sum(word.encode() in written for word in ada.said) > len(ada.said) / 2
        memory.user("ada").forget()
        written = store.written()
        left = [word for word in ada.said if word[3:17].encode() in written]
        assert left == []
        kept = [item.text.split()[0] for item in memory.session("bob 1", user="bob").items()[:2]]
        assert all(word.encode() in written for word in kept)
        assert len(memory.user("bob").facts.list()) == store.sessions


def test_what_was_forgotten_without_a_purge_is_gone_after_one(store):
    ada = Words("ada")
    with connect(store.backend) as memory:
        live(memory, "ada", ada, store.sessions)
        memory.user("ada").forget(purge=False)
        memory.purge()
        written = store.written()
        assert [word for word in ada.said if word[3:17].encode() in written] == []
