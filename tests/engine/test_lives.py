"""How long a session lives: sliding by writes, exactly, and swept when it is over."""

from __future__ import annotations

import pytest

from tests.engine.doubles import START
from threadkeep import Query
from threadkeep.core.settings import SWEEP_GRACE
from threadkeep.errors import NotFound

TTL = 100


@pytest.fixture
def memory(opened):
    return opened(ttl=TTL)


@pytest.mark.parametrize("ttl", [None, 0])
def test_without_a_time_to_live_it_is_for_ever(opened, clock, ttl):
    memory = opened(ttl=ttl)
    chat = memory.session("s", user="ada")
    chat.add("x")
    clock.tick(100 * 365 * 86_400)
    assert len(chat.items()) == 1
    assert len(memory.sessions(user="ada")) == 1


def test_expiry_is_exact(chat, clock, memory):
    chat.add("x")
    clock.now = START + TTL - 0.001
    assert len(chat.items()) == 1
    clock.now = START + TTL
    assert chat.items() == []
    assert chat.info() is None
    assert chat.files.list() == []
    assert memory.sessions() == []
    assert memory.sessions(user="ada") == []
    with pytest.raises(NotFound):
        chat.fork("copy")


WRITES = {
    "add": lambda chat: chat.add("y"),
    "update": lambda chat: chat.update(title="t"),
    "replace": lambda chat: chat.replace("m", "y"),
    "rewind": lambda chat: chat.rewind(before="n"),
    "clear": lambda chat: chat.clear(keep_last=1),
    "remove": lambda chat: chat.remove("n"),
    "files.add": lambda chat: chat.files.add({"url": "u"}),
    "files.remove": lambda chat: chat.files.remove("f"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_writes_slide(chat, memory, clock, write):
    chat.add(
        {"role": "user", "content": "x", "id": "m"}, {"role": "user", "content": "x", "id": "n"}
    )
    chat.files.add({"url": "f"})
    clock.tick(TTL - 1)
    write(chat)
    clock.tick(TTL - 1)
    assert chat.info() is not None
    assert len(memory.sessions(user="ada")) == 1
    clock.tick(1)
    assert chat.info() is None


READS = {
    "items": lambda chat, memory: chat.items(),
    "window": lambda chat, memory: chat.window(),
    "info": lambda chat, memory: chat.info(),
    "files.list": lambda chat, memory: chat.files.list(),
    "sessions of a user": lambda chat, memory: memory.sessions(user="ada"),
    "sessions": lambda chat, memory: memory.sessions(),
    "fork": lambda chat, memory: chat.fork("copy"),
    "sweep": lambda chat, memory: memory.sweep(),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_reads_do_not(chat, memory, clock, read):
    chat.add("x")
    clock.tick(TTL - 1)
    read(chat, memory)
    clock.tick(1)
    assert chat.info() is None


def test_a_copy_has_a_life_of_its_own(chat, clock):
    chat.add("x")
    clock.tick(TTL - 1)
    copy = chat.fork("copy")
    clock.tick(TTL - 1)
    assert chat.info() is None
    assert len(copy.items()) == 1
    clock.tick(1)
    assert copy.info() is None


def test_a_new_life_has_nothing_of_the_old(chat, clock, memory):
    chat.add("old")
    chat.update(title="old", metadata={"a": 1})
    chat.files.add({"url": "u"})
    clock.tick(TTL)
    chat.add("new")
    assert [item.content for item in chat.items()] == ["new"]
    assert chat.files.list() == []
    assert (chat.info().title, chat.info().metadata) == (None, {})
    assert len(memory.sessions(user="ada")) == 1


def test_after_its_life_a_session_is_anybodys_to_begin(chat, clock, memory):
    chat.add("ada's")
    clock.tick(TTL)
    bobs = memory.session("chat", user="bob")
    assert bobs.items() == []
    bobs.add("bob's")
    assert [info.id for info in memory.sessions(user="bob")] == ["chat"]
    assert memory.sessions(user="ada") == []


def test_the_list_entry_outlives_its_session_by_two_minutes(chat, clock, backend):
    chat.add("x")
    entries = Query("default/sessions/ada", "session")
    clock.now = START + TTL + 119.999
    assert len(backend.read(entries, now=clock.now)[0].records) == 1
    clock.now = START + TTL + 120
    assert backend.read(entries, now=clock.now)[0].records == []


def test_a_session_never_loses_its_entry_while_it_lives(chat, clock, memory):
    for seconds in (0, 59, TTL - 1, 59, 30, TTL - 1, 1, 58, TTL - 1):
        clock.tick(seconds)
        chat.add("x")
        clock.tick(TTL - 0.001)
        assert len(memory.sessions(user="ada")) == 1
        clock.tick(0.001 - TTL)


def test_sweeping_reclaims_what_is_over_and_nothing_else(opened, backend, clock):
    mortal, immortal = opened(ttl=TTL), opened(namespace="kept")
    for n in range(20):
        mortal.session(f"s{n}", user="ada").add("x")
        immortal.session(f"s{n}", user="ada").add("x")
    clock.tick(TTL + 120 + SWEEP_GRACE)
    mortal.session("new", user="ada").add("x")
    assert sum(iter(lambda: mortal.sweep(limit=7), 0)) >= 20
    assert backend.streams("default/session/")[0] == ["default/session/new"]
    assert [info.id for info in mortal.sessions(user="ada")] == ["new"]
    assert len(immortal.sessions(limit=100)) == 20
    assert mortal.sweep() == 0


def test_what_is_over_is_out_of_sight_without_any_sweep_and_stays_so_after(chat, clock, memory):
    chat.add("x")
    clock.tick(TTL)
    assert chat.items() == []
    memory.sweep()
    assert chat.items() == []
