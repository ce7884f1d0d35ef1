"""A session whose record cannot be read: shut, but in nobody's way, and it can be removed."""

from __future__ import annotations

import json

import pytest

from tests.embedded import backend
from tests.responses.conftest import streams
from threadkeep import Drop, Record, connect
from threadkeep.backends.encrypted import EncryptedBackend
from threadkeep.backends.memory import MemoryBackend
from threadkeep.core import copy_streams, store_record
from threadkeep.errors import CorruptRecord, NotOwner, ThreadkeepError, WrongKey
from threadkeep.types import Query

__all__ = ["backend"]

OWN = {"id": "chat", "user": "ada", "created_at": 1}
BODIES = {
    "no JSON": "{",
    "a list": "[]",
    "a text": '"ada"',
    "nothing": "null",
    "no date": '{"id": "chat", "user": "ada"}',
    "metadata of a list": json.dumps({**OWN, "metadata": [1]}),
    "a late date": json.dumps({**OWN, "created_at": 1e300}),
    "an endless date": '{"id": "chat", "user": "ada", "created_at": 1e999}',
    "a user that is none": json.dumps({**OWN, "user": ["ada"]}),
    "an id that is none": json.dumps({**OWN, "id": 5}),
    "nested": '{"id": "chat", "user": "ada", "metadata": ' + "[" * 100_000 + "]" * 100_000 + "}",
}
KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@pytest.fixture(params=BODIES)
def body(request):
    return BODIES[request.param]


def damaged(memory, body):
    """Ada's sessions, one of them with a record of another shape; and one of Bob's."""
    for id in ("chat", "whole"):
        memory.session(id, user="ada").add("secret")
        memory.responses.add({"id": f"r {id}", "output": []}, conversation=id)
    memory.session("bobs", user="bob").add("mine")
    record = Record("session", "session", body, memory._engine.now())
    memory._engine.commit(memory._engine.stream("session", "chat"), put=[record], ttl=None)


def names_ada(body):
    """Whether what can be read of a record still says whose it is."""
    return '"user": "ada"' in body and body != BODIES["nested"]


def left(memory, word="chat"):
    return [name for name in streams(memory) if word in name]


def test_it_hides_no_other_from_any_verb(memory, body):
    damaged(memory, body)
    ada = memory.user("ada")
    assert [info.id for info in ada.sessions()] == ["whole"]
    assert {info.id for info in memory.sessions()} == {"whole", "bobs"}
    assert '"whole"' in ada.export()
    assert [info.id for info in ada.conversations.list()] == ["whole"]
    ada.recall("secret")
    with pytest.raises(CorruptRecord):
        ada.session("chat").items()


@pytest.mark.parametrize("user", [None, "ada"])
def test_its_owner_and_the_operator_can_delete_it(opened, body, user):
    damaged(opened(), body)
    memory = opened()
    memory.session("chat", user=user).delete()
    assert left(memory) == []
    entries = memory._engine.read(Query("default/sessions/ada", "session"))[0].records
    assert len(entries) == (1 if user or names_ada(body) else 2)  # who knows whose list it is
    memory.session("chat", user="ada").add("anew")
    assert len(memory.user("ada").sessions()) == 2


def test_nobody_else_can(memory, body):
    damaged(memory, body)
    before = streams(memory)
    for user in ("bob", "eve"):
        with pytest.raises((CorruptRecord, NotOwner)):
            memory.session("chat", user=user).delete()
        memory.user("eve").forget()
    assert streams(memory) == before


def test_forgetting_its_owner_takes_it(memory, body):
    damaged(memory, body)
    gone = memory.user("ada").forget()
    assert gone.sessions == 2
    assert [name for name in streams(memory) if "bob" not in name] == []
    assert len(memory.user("bob").sessions()) == 1


def test_forgetting_takes_it_where_no_list_leads_to_it(memory, body):
    """If it still names its owner; else that is said, as nobody may guess."""
    damaged(memory, body)
    memory._engine.commit("default/sessions/ada", drop=[Drop()], ttl=None)
    beyond = " ".join(memory.user("ada").forget().beyond)
    unknown = "cannot be read" in beyond
    assert left(memory, "/session/chat") == (["default/session/chat"] if unknown else [])
    assert left(memory, "whole") == []
    assert unknown == (not names_ada(body))


def test_restoring_leaves_it_as_it_is(memory, body):
    damaged(memory, body)
    with connect("memory://") as other:
        other.session("chat", user="ada").add("from elsewhere")
        assert memory.user("ada").restore(other.user("ada").export()) == 0


def plant(backend, clock, session):
    """What a worker of before the `store` record wrote without the key: records in the clear."""
    source = MemoryBackend()
    plain = connect(source, clock=clock)
    chat = plain.session(session, user="ada")
    chat.add("in the clear")
    plain.responses.add({"id": f"r {session}", "output": []}, user="ada", conversation=session)
    names, _ = source.streams("default/")
    for name in names:
        if not store_record.is_store_stream(name):
            records = list(copy_streams.records(source, name, clock()))
            backend.commit(name, put=records, ttl=None, now=clock())


@pytest.mark.parametrize("strict", [True, False])
def test_plain_records_in_an_encrypted_store_are_erased(backend, clock, strict):
    sealed = connect(EncryptedBackend(backend, KEY, strict=strict), clock=clock)
    sealed.session("chat", user="ada").add("secret")
    plant(backend, clock, "chat 2")
    sealed.session("chat 2").delete()
    assert left(sealed, "/session/") == ["default/session/chat"]
    plant(backend, clock, "chat 3")
    try:
        sealed.user("ada").forget()
    except ThreadkeepError:
        assert strict  # which may not even read the list
        return
    assert left(sealed, "/session/") == []


def test_without_the_key_nothing_is_erased(backend, clock):
    sealed = connect(EncryptedBackend(backend, KEY), clock=clock)
    sealed.session("chat", user="ada").add("secret")
    plain = connect(backend, clock=clock)
    with pytest.raises(WrongKey):
        plain.session("chat").delete()
    with pytest.raises(WrongKey):
        plain.user("ada").forget()
    assert sealed.session("chat", user="ada").items()[0].text == "secret"
