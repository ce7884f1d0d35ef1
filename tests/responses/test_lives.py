"""Responses and feedback live and die with their session, and leave nothing behind."""

from __future__ import annotations

import pytest

from tests.engine.doubles import Failing
from tests.responses.conftest import answer, streams
from threadkeep.core.settings import SWEEP_GRACE
from threadkeep.errors import BackendError


def pointers(memory):
    return [name for name in streams(memory) if "/response/" in name]


def swept(memory):
    while memory.sweep():
        pass
    return streams(memory)


@pytest.mark.proves("B55")
def test_deleting_a_session_takes_its_responses(memory):
    chat = memory.session("chat", user="ada")
    chat.add("Hi")
    for n in range(3):
        memory.responses.add(answer(f"r{n}", user="ada"), conversation="chat")
    memory.responses.add(answer("kept", user="ada"), conversation="other")
    chat.delete()
    assert [memory.responses.get(f"r{n}") for n in range(3)] == [None] * 3
    assert pointers(memory) == ["default/response/kept"]
    assert [r.id for r in memory.responses.list(user="ada")] == ["kept"]


def test_what_begins_anew_under_an_old_name_has_nothing_of_the_old(memory, clock):
    memory.responses.add(answer("a", user="ada"), conversation="chat")
    memory.session("chat").delete()
    memory.responses.add(answer("b", user="bob"), conversation="chat")
    assert memory.responses.get("a", user="bob") is None
    assert [r.id for r in memory.responses.list(conversation="chat")] == ["b"]


def test_a_response_expires_with_its_session(opened, clock):
    memory = opened(ttl=100)
    memory.responses.add(answer("a", user="ada"))
    clock.tick(99.9)
    assert memory.responses.get("a") is not None
    clock.tick(0.1)
    assert memory.responses.get("a") is None
    assert memory.responses.list(user="ada") == []
    clock.tick(200 + SWEEP_GRACE)
    assert swept(memory) == []


@pytest.mark.proves("B55")
@pytest.mark.parametrize("processes", [1, 2])
def test_it_lives_as_long_as_its_session_is_written(opened, clock, processes):
    first, *others = [opened(ttl=100) for _ in range(processes)]
    first.responses.add(answer("a", user="ada"), conversation="chat")
    chats = [memory.session("chat", user="ada") for memory in (others or [first])]
    for step in range(60):
        clock.tick((95, 3, 50, 1)[step % 4])
        chats[step % len(chats)].add("on and on")
        assert first.responses.get("a") is not None, step
    clock.tick(99.9)
    assert first.responses.get("a") is not None
    clock.tick(200 + SWEEP_GRACE)
    assert swept(first) == []


def test_reading_prolongs_no_life(opened, clock):
    memory = opened(ttl=100)
    memory.responses.add(answer("a", user="ada"))
    for _ in range(4):
        clock.tick(24)
        memory.responses.get("a")
        memory.responses.list(user="ada")
        memory.responses.chain("a")
        memory.responses.usage()
    clock.tick(4)
    assert memory.responses.get("a") is None


def test_an_expired_conversation_is_not_begun_anew_by_what_went_on_from_it(opened, clock):
    memory = opened(ttl=100)
    memory.responses.add(answer("a", user="ada"), conversation="chat")
    clock.tick(110)  # the pointer is still there, the session is not
    added = memory.responses.add(answer("b", previous_response_id="a", user="bob"))
    assert (added.conversation, added.user) == ("b", "bob")
    added = memory.responses.add(answer("a", user="bob"))
    assert (added.conversation, added.user) == ("a", "bob")


@pytest.mark.parametrize("stream", ["/session/", "/response/"])
def test_a_store_that_fails_in_between_leaves_no_response_by_halves(opened, stream):
    broken = opened(lambda inner: Failing(inner, stream, 0, BackendError("full")))
    with pytest.raises(BackendError, match="full"):
        broken.responses.add(answer("a"), conversation="chat")
    memory = opened()
    assert memory.responses.get("a") is None
    assert memory.responses.list() == []
    memory.responses.add(answer("a"), conversation="chat")
    assert memory.responses.get("a").conversation == "chat"


def test_a_deletion_that_fails_in_between_can_be_repeated(opened):
    memory = opened()
    memory.responses.add(answer("a"), conversation="chat")
    broken = opened(lambda inner: Failing(inner, "/session/", 0, BackendError("full")))
    with pytest.raises(BackendError, match="full"):
        broken.session("chat").delete()
    memory.session("chat").delete()
    assert streams(memory) == []
