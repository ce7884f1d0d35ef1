"""What only MongoDB does: promises that others keep, marks of what was dropped, names of the store.

A server is needed: a URL in THREADKEEP_TEST_MONGODB_URL, `mongod`, or what `make servers` installs.
"""

import os
from functools import partial

import pytest
from pymongo import MongoClient
from pymongo.errors import AutoReconnect, ServerSelectionTimeoutError

import threadkeep
from tests.durations import within
from tests.servers import mongodb
from tests.servers.instances import free_port, fresh_table
from threadkeep import HistoryService
from threadkeep.backends.mongodb import MongoBackend, expire
from threadkeep.backends.mongodb import commit as committing
from threadkeep.backends.mongodb.roll_forward import apply
from threadkeep.core.call_limit import Purpose, serving
from threadkeep.errors import BackendError, ConfigError, Conflict
from threadkeep.testing.concurrency import run_in_threads
from threadkeep.testing.contract.common import NOW, ids, item, items, read, sweep_all
from threadkeep.types import Drop, Query

S = "test/session/mongodb"
SECRET = "hunter2 is secret"


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def name():
    return fresh_table()


@pytest.fixture
def backend(name):
    made = MongoBackend(mongodb.url(), collection=name)
    yield made
    made.close()


@pytest.fixture
def store(name):
    """Past our code."""
    client: MongoClient = MongoClient(mongodb.url())
    with client:
        yield client["history_db"][name]


def killed_between(monkeypatch, backend, **commit):
    """A commit whose writer dies once it is promised."""

    def die(store, head):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(committing, "apply", die)
        with pytest.raises(Killed):
            backend.commit(S, **{"now": NOW, **commit})


def test_what_was_promised_is_kept_by_the_next_reader(backend, store, monkeypatch):
    made = backend.commit(S, put=items("abc"), now=NOW)
    change = {"put": [*items("de"), item("a", "2")], "drop": [Drop("item", ["b"])]}
    killed_between(monkeypatch, backend, **change)
    assert store.count_documents({"s": S}) == 3
    page = read(backend, S)
    assert page.version == made.version + 1
    assert [(r.id, r.body) for r in page.records][:2] == [("a", "2"), ("c", item("c").body)]
    assert [record.id for record in page.records] == list("acde")
    assert store.find_one({"_id": f"s:{S}"})["p"] == []


def test_promises_are_kept_in_their_order_by_the_next_writer(backend, monkeypatch):
    backend.commit(S, put=items("a"), now=NOW)
    killed_between(monkeypatch, backend, put=items("b"))
    killed_between(monkeypatch, backend, drop=[Drop("item")], put=items("b"))
    killed_between(monkeypatch, backend, put=items("c"))
    done = backend.commit(S, put=items("d"), now=NOW)
    assert ids(backend, S) == list("bcd")
    assert done.seqs == [read(backend, S).records[-1].seq]


def test_a_promise_of_a_life_that_ended_is_not_kept(backend, monkeypatch):
    backend.commit(S, put=items("a"), ttl=60, now=NOW)
    killed_between(monkeypatch, backend, put=items("b"), ttl=60)
    assert ids(backend, S, now=NOW + 60) == []
    backend.commit(S, put=items("c"), ttl=60, now=NOW + 60)
    killed_between(monkeypatch, backend, put=items("d"), ttl=60, now=NOW + 60)
    backend.commit(S, drop=[Drop()], now=NOW + 60)
    backend.commit(S, put=items("e"), now=NOW + 60)
    assert ids(backend, S, now=NOW + 60) == ["e"]


def test_who_is_late_brings_nothing_back(backend, store, monkeypatch):
    """A writer stops between promise and deed; others go on; then it wakes."""
    backend.commit(S, put=items("a"), now=NOW)
    killed_between(monkeypatch, backend, put=items("x"))
    late = store.find_one({"_id": f"s:{S}"})
    backend.commit(S, drop=[Drop("item", ["x"])], now=NOW)
    apply(store, late)
    assert ids(backend, S) == ["a"]
    backend.commit(S, put=[item("x", "2")], now=NOW)
    apply(store, late)
    assert [(r.id, r.body) for r in read(backend, S).records] == [("a", item("a").body), ("x", "2")]
    backend.commit(S, drop=[Drop()], now=NOW)
    apply(store, late)
    assert read(backend, S) == (0, [])
    backend.commit(S, put=items("b"), now=NOW)
    apply(store, late)
    assert ids(backend, S) == ["b"]


def test_several_keep_the_same_promise_at_once(backend, store, monkeypatch):
    for n in range(20):
        killed_between(monkeypatch, backend, put=items([f"{n}-a", f"{n}-b"])) if n else (
            backend.commit(S, put=items(["0-a", "0-b"]), now=NOW)
        )
        pages = run_in_threads(*[partial(read, backend, S)] * 4)
        assert all(page == pages[0] for page in pages)
    assert len(ids(backend, S)) == 40


def test_a_dead_writers_repeat_is_answered_by_its_token(backend, monkeypatch):
    seen = backend.commit(S, put=items("a"), now=NOW)
    how = {"put": items("b"), "expect": seen.version, "token": "t-1"}
    killed_between(monkeypatch, backend, **how)
    again = backend.commit(S, **how, now=NOW)
    assert again == (seen.version + 1, [seen.seqs[0] + 1])
    with pytest.raises(Conflict):
        backend.commit(S, put=items("c"), expect=seen.version, now=NOW)


def test_marks_of_what_was_dropped_go_after_their_time(backend, store, monkeypatch):
    backend.commit(S, put=items("abc"), now=NOW)
    backend.commit(S, drop=[Drop("item", ["a"])], now=NOW)
    backend.commit(f"{S}2", put=items("a"), ttl=60, now=NOW)
    backend.commit(f"{S}3", put=items("a"), now=NOW)
    backend.commit(f"{S}3", drop=[Drop()], now=NOW)
    assert sweep_all(backend, NOW + 60) == 1
    assert store.count_documents({"g": {"$exists": True}}) == 3
    assert store.count_documents({"s": {"$in": [f"{S}2", f"{S}3"]}}) == 0
    monkeypatch.setattr(expire, "GRACE", -10.0)
    backend.sweep(NOW + 60)
    assert store.count_documents({"g": {"$exists": True}}) == 0
    assert ids(backend, S, now=NOW + 60) == ["b", "c"]
    assert {one["_id"] for one in store.find({"s": {"$exists": False}})} == {f"s:{S}"}
    backend.commit(f"{S}3", put=items("b"), now=NOW)
    assert ids(backend, f"{S}3") == ["b"]


def test_every_search_has_its_index(backend, store):
    backend.commit(S, put=[item("a", expires=NOW + 1)], now=NOW)
    names = set(store.index_information())
    assert names == {"_id_", "tk_seq", "tk_expires", "tk_dropped", "tk_floor"}


def test_dollars_and_dots_are_only_text(backend):
    put = [item("$a.b", '"$b"'), item("$$REMOVE", "$x"), item("{}", "$$ROOT")]
    backend.commit(S, put=put, now=NOW)
    backend.commit(S, put=put, now=NOW)
    assert [(r.id, r.body) for r in read(backend, S).records] == [(r.id, r.body) for r in put]


@pytest.mark.proves("A20")
def test_a_url_a_dict_a_client_and_the_keys_of_the_history_service_name_the_same(name):
    def seen(memory):
        with memory:
            return [item.text for item in memory.session("s", user="ada").items()]

    url = mongodb.url()
    with threadkeep.connect(f"{url}/history_db?collection={name}") as memory:
        memory.session("s", user="ada").add("hi")
    assert seen(threadkeep.connect({"type": "mongodb", "url": url, "collection": name})) == ["hi"]
    client: MongoClient = MongoClient(url)
    with client:
        memory = threadkeep.connect({"type": "mongodb", "client": client, "collection": name})
        assert seen(memory) == ["hi"]
        assert client.admin.command("ping")
    config = {"type": "mongodb", "mongodb_uri": url, "mongodb_collection": name}
    with HistoryService(config, identifier=name) as history:
        history.store_history("s", "user", "hi")
        assert history.get_history("s") == [{"role": "user", "content": "hi"}]


def test_the_names_of_database_and_collection_go_without_saying():
    assert repr(MongoBackend("mongodb://h")) == "MongoBackend(MongoDB at h, history_db.sessions)"
    assert "MongoDB at h,i:7, chat.t" in repr(MongoBackend("mongodb://h,i:7/chat", collection="t"))
    with pytest.raises(ConfigError, match="mongodb_uri is missing"):
        HistoryService({"type": "mongodb"}, identifier="mongodb")


@pytest.mark.parametrize(
    ("store", "says"),
    [
        ("mongodb://", "cannot be read"),
        (f"mongodb://ada:{SECRET}/x@h", "percent-encode"),
        ({"type": "mongodb", "url": "mongodb://h/a", "database": "b"}, "database is given twice"),
        (
            {"type": "mongodb", "url": "mongodb://h", "mongodb_uri": "mongodb://i"},
            "given twice, and differently",
        ),
        ({"type": "mongodb", "database": "a.b"}, "database"),
        ({"type": "mongodb", "collection": "system.x"}, "collection"),
        ({"type": "mongodb", "password": 7}, "password must be"),
        ({"type": "mongodb", "client": "h"}, "client must be"),
        ({"type": "mongodb", "hosts": "h"}, "no option 'hosts'"),
        ({"type": "mongodb", "connect_timeout": 0}, "connect_timeout"),
    ],
)
def test_contradictions_and_what_is_unknown_are_named(store, says):
    with pytest.raises(ConfigError, match=says) as caught:
        threadkeep.connect(store)
    assert SECRET not in str(caught.value)


def add(memory):
    memory.session("s").add("hi")


def describe(memory):
    memory._engine.backend.describe()


@pytest.mark.parametrize("act", [add, describe])
def test_where_nobody_listens_the_error_comes_soon_and_without_secrets(act):
    url = f"mongodb://ada:{SECRET.replace(' ', '%20')}@127.0.0.1:{free_port()}"
    memory = threadkeep.connect({"type": "mongodb", "url": url, "connect_timeout": 0.5})
    with (
        within(5),
        memory,
        pytest.raises(BackendError, match=r"no server answered within 0\.5 s") as caught,
    ):
        act(memory)
    for text in (str(caught.value), repr(memory), repr(memory._engine.backend)):
        assert "127.0.0.1" in text
        assert "hunter2" not in text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_parent_and_child_go_on_after_a_fork(backend):
    backend.commit(S, put=items("a"), now=NOW)
    pid = os.fork()
    if pid == 0:
        try:
            backend.commit(S, put=items(["child"]), now=NOW)
            os._exit(0)
        finally:
            os._exit(1)
    backend.commit(S, put=items(["parent"]), now=NOW)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert set(ids(backend, S)) == {"a", "child", "parent"}
    assert backend.read(Query(S, "item", 1), now=NOW)[0].records[0].id == "a"


class GoneStore:
    """A collection whose server takes no connection; each read waits as pymongo does, in vain."""

    def __init__(self) -> None:
        self.database = self
        self.reads = 0

    def read(self, store):
        self.reads += 1
        raise ServerSelectionTimeoutError("nobody there")

    def command(self, name):
        raise AutoReconnect("connection refused")


def test_read_ends_after_two_seconds_also_if_the_sign_of_life_is_refused(monkeypatch):
    """Else the read began anew, with all its time, and took 3.5 s."""
    backend = MongoBackend("mongodb://127.0.0.1:1/?directConnection=true", timeout=20)
    client, gone = backend._calls, GoneStore()
    client._loop.connected = True
    monkeypatch.setattr(client, "_store", lambda _: gone)
    monkeypatch.setattr(client, "_connect", lambda store, deadline: None)
    with within(3), serving(Purpose.READ), pytest.raises(BackendError):
        client.run(gone.read, creates=False)
    assert client._loop.circuit.down
    backend.close()
