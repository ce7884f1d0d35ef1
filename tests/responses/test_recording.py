"""What adapters record: each answer once, none in another's place, behind the newest one there."""

from __future__ import annotations

import logging

import pytest

from tests.responses.conftest import answer
from threadkeep.adapters.record_responses import record as recorded
from threadkeep.errors import BackendError
from threadkeep.responses import store


def record(chat, said, key=None):
    """What was stored; it could be."""
    found = recorded(chat, said, key=key)
    assert found is not None
    return found


@pytest.fixture
def chat(memory):
    chat = memory.session("chat", user="ada")
    chat.add("Hi")
    return chat


def test_an_answer_goes_on_from_the_newest_of_its_session(memory, chat):
    memory.responses.add(answer("elsewhere"), conversation="other")
    first, second = record(chat, answer("r1")), record(chat, answer("r2"))
    assert (first.previous_response_id, second.previous_response_id) == (None, "r1")
    assert (second.conversation, second.user, second.tokens.total_tokens) == ("chat", "ada", 15)
    assert [one.id for one in memory.responses.chain("r2")] == ["r1", "r2"]


def test_recorded_again_under_its_key_it_is_the_same_response(memory, chat, clock):
    first = record(chat, answer("r1"), key="m1@u1")
    record(chat, answer("r2"), key="m2@u1")
    clock.tick(5)
    again = record(chat, answer("r1", status="incomplete"), key="m1@u1")
    assert (again.id, again.created_at) == ("r1", first.created_at)
    assert (again.previous_response_id, again.status) == (None, "incomplete")
    assert len(memory.responses.list(conversation="chat")) == 2


def test_an_id_that_came_before_takes_no_other_answers_place(memory, chat):
    record(chat, answer("r1"), key="m1@u1")
    second = record(chat, answer("r1"), key="m1@u2")
    assert record(chat, answer("r1"), key="m1@u2").id == second.id == "chat/m1@u2"
    assert [one.id for one in memory.responses.list(conversation="chat")] == [second.id, "r1"]


def test_without_a_key_each_call_is_an_answer(memory, chat):
    ids = [record(chat, answer("r1")).id, record(chat, answer("r1")).id]
    ids.append(record(chat, {**answer("x"), "id": None}).id)
    assert ids[0] == "r1"
    assert len(set(ids)) == 3
    assert all(one.startswith("resp_") for one in ids[1:])


@pytest.mark.parametrize("user", ["ada", None])
def test_an_id_of_somebody_elses_response_is_left_alone(memory, user):
    memory.responses.add(answer("r1", user="bob"), conversation="bobs")
    chat = memory.session("chat", user=user)
    chat.add("Hi")
    assert record(chat, answer("r1"), key="m1@u1").id == "chat/m1@u1"
    assert memory.responses.get("r1").user == "bob"


def test_what_cannot_be_stored_is_logged_without_its_words(memory, chat, caplog, monkeypatch):
    def fails(*_):
        raise BackendError("the disk is full")

    monkeypatch.setattr(store, "add", fails)
    with caplog.at_level(logging.ERROR, "threadkeep"):
        assert recorded(chat, answer("r1")) is None
    assert "session 'chat' was not recorded as a response (BackendError: the disk is full)" in (
        caplog.text
    )
    assert "the answer r1" not in caplog.text
