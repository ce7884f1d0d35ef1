"""Forgetting a user, or single items: everything goes, nothing of anybody else."""

from __future__ import annotations

import asyncio

import pytest

from tests.engine.doubles import Failing
from tests.responses.conftest import answer, streams
from threadkeep import connect
from threadkeep.errors import BackendError, InputError, NotOwner
from threadkeep.longterm.store.user_stream import UserStream
from threadkeep.sessions.derived import stream as session_stream
from threadkeep.types import Record
from threadkeep.types.knowledge import Source


def filled(memory, name):
    """A user with sessions, files, responses, feedback, facts, instructions, a summary."""
    user = memory.user(name)
    for number in range(3):
        chat = user.session(f"{name} {number}")
        items = chat.add(f"{name} says {number}", {"role": "assistant", "content": "well"})
        chat.files.add({"url": f"{name}.txt"})
        memory.responses.add(answer(f"{name} r{number}", user=name), conversation=chat.id)
        memory.feedback.add(f"{name} r{number}", rating="positive", comment=f"{name} likes it")
        summary = session_stream(memory._engine, "summary", chat.id)
        record = Record(
            "summary", "summary", f'{{"text": "{name} was here"}}', memory._engine.now()
        )
        memory._engine.longterm.commit(summary, put=[record], ttl=None)
        user.facts.add(f"{name} said {number}", sources=[(chat.id, items[0])])
    memory.session(f"{name} 0/helper", user=name, agent="helper").add("hidden from lists")
    user.instructions.add(f"Call me {name}")
    return user


def of(memory, name):
    return [stream for stream in streams(memory) if name in stream]


@pytest.mark.proves("B55")
def test_everything_of_a_user_goes_and_nothing_of_another(memory):
    filled(memory, "ada")
    filled(memory, "bob")
    before = of(memory, "bob")
    gone = memory.user("ada").forget()
    assert of(memory, "ada") == []
    assert sorted(of(memory, "bob")) == sorted(before)
    assert gone.sessions == 4
    assert gone >= 3 * (1 + 2 + 1 + 1 + 1) + 3 + 1
    assert [fact.text for fact in memory.user("bob").facts.list()] == [
        f"bob said {n}" for n in range(3)
    ]
    assert len(memory.sessions(user="bob")) == 3
    assert memory.responses.get("ada r0") is None


def test_forgetting_nobody_is_no_error(memory):
    assert memory.user("nobody").forget() == 0
    assert memory.user("nobody").forget().sessions == 0


def test_a_forgotten_user_begins_anew(memory):
    filled(memory, "ada").forget()
    ada = memory.user("ada")
    ada.session("ada 0").add("hello again")
    ada.facts.add("ada is back")
    assert [info.id for info in ada.sessions()] == ["ada 0"]
    assert [fact.text for fact in ada.facts.list(status=None)] == ["ada is back"]
    assert len(ada.session("ada 0").items()) == 1


def test_a_session_that_another_user_owns_by_now_is_left_alone(memory):
    filled(memory, "ada")
    memory.session("ada 1").delete()
    memory.session("ada 1", user="bob").add("mine now")
    memory.user("ada").forget()
    assert [item.text for item in memory.session("ada 1", user="bob").items()] == ["mine now"]


def test_a_summary_goes_that_outlived_its_session(opened, clock):
    memory = opened(ttl=100)
    filled(memory, "ada")
    stream = memory._engine.stream("session", "ada 0")
    home = memory._engine.stream("user", "ada")
    mark = Record("watermark", stream, "{}", clock.now)
    memory._engine.commit(home, put=[mark], ttl=None)
    clock.tick(300)
    summary = session_stream(memory._engine, "summary", "ada 0")
    assert summary in streams(memory)
    memory.user("ada").forget()
    assert summary not in streams(memory)


@pytest.mark.parametrize("writes", range(1, 30, 3))
def test_cut_short_anywhere_it_can_be_called_again(opened, writes):
    memory = opened()
    filled(memory, "ada")
    failing = opened(lambda inner: Failing(inner, "", writes, BackendError("down")))
    try:
        failing.user("ada").forget(purge=False)
    except BackendError:
        with pytest.raises(BackendError, match="being forgotten"):
            memory.user("ada").facts.add("too early")
        memory.user("ada").forget()
    assert of(memory, "ada") == []


def test_who_learns_meanwhile_loses(memory, ada):
    """A worker that read before, and writes after, meets the mark or another life."""
    filled(memory, "ada")
    home = UserStream(memory._engine, user="ada")
    late = home.load()
    late.put_watermark("a", "{}")
    ada.forget()
    assert home.commit(late) is False
    assert of(memory, "ada") == []


def test_other_namespaces_are_named_where_the_user_may_have_sessions_too(memory, clock):
    home = memory._engine.stream("user", "ada")
    mark = Record("watermark", "other/session/chat", "{}", clock.now)
    memory._engine.commit(home, put=[mark], ttl=None)
    assert any("'other'" in place for place in memory.user("ada").forget().beyond)


def test_items_are_forgotten_with_what_was_learned_from_them_alone(memory, ada):
    chat = ada.session("chat")
    one, two, three = chat.add("I have a cat", "and a dog", "in Porto")
    ada.facts.add("Ada has a cat", sources=[("chat", one)])
    ada.facts.add("Ada has pets", sources=[("chat", one), ("chat", two)])
    ada.facts.add("Ada lives in Porto", sources=[("chat", three)])
    ada.facts.add("Ada pays by card")
    ada.instructions.add("Mention the cat", sources=[Source("chat", one.id, "cat")])
    assert chat.forget(one.id, "never there") == 1
    assert [item.text for item in chat.items()] == ["and a dog", "in Porto"]
    texts = [fact.text for fact in ada.facts.list(status=None)]
    assert texts == ["Ada has pets", "Ada lives in Porto", "Ada pays by card"]
    assert ada.facts.list()[0].sources == (Source("chat", two.id),)
    assert ada.instructions.list() == []
    assert chat.forget(one.id) == 0


def test_an_item_of_the_same_id_elsewhere_is_another(ada):
    for name in ("one", "two"):
        ada.session(name).add({"id": "m", "role": "user", "content": f"in {name}"})
    ada.facts.add("Ada was in one", sources=[("one", "m")])
    ada.session("two").forget("m")
    assert [fact.text for fact in ada.facts.list()] == ["Ada was in one"]


def test_another_users_items_cannot_be_forgotten(memory, ada):
    (item,) = ada.session("chat").add("hello")
    with pytest.raises(NotOwner):
        memory.user("eve").session("chat").forget(item.id)
    assert len(ada.session("chat").items()) == 1
    with pytest.raises(InputError, match="item id"):
        ada.session("chat").forget("")


def test_the_twins(memory, ada):
    async def story():
        (item,) = await ada.session("chat").aadd("hello")
        assert await ada.session("chat").aforget(item.id) == 1
        assert (await ada.aforget()).sessions == 1
        assert isinstance(await memory.apurge(), list)

    asyncio.run(story())


def test_long_term_memory_in_another_store_goes_too(backend, clock, tmp_path):
    with (
        connect(tmp_path / "other.db", clock=clock) as other,
        connect(backend, clock=clock, longterm=other) as memory,
    ):
        filled(memory, "ada")
        filled(memory, "bob")
        memory.user("ada").forget()
        assert of(memory, "ada") == of(other, "ada") == []
        assert of(memory, "bob")
        assert of(other, "bob")
