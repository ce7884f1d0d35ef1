"""Facts as an application adds, reads, changes and forgets them."""

from __future__ import annotations

import asyncio
import threading

import pytest

from threadkeep import connect
from threadkeep.errors import BackendError, InputError, NotFound
from threadkeep.longterm import facts as facts_module
from threadkeep.types.knowledge import Source


def texts(facts, **options):
    return [fact.text for fact in facts.list(**options)]


def test_a_fact_comes_back_as_it_was_added(ada, clock):
    said = ada.facts.add(
        "Ada  is allergic\nto nuts",
        sources=[("chat", "m1"), Source("chat", "m2", "no nuts please")],
        confidence=0.9,
        pinned=True,
        observed_at="2026-01-31T12:00:00+00:00",
        valid_from=1_600_000_000,
        expires_at=clock.now + 100,
    )
    assert said.text == "Ada is allergic to nuts"
    assert said.sources == (Source("chat", "m1"), Source("chat", "m2", "no nuts please"))
    found = ada.facts.get(said.id)
    assert (found.confidence, found.pinned, found.seen, found.status) == (0.9, True, 1, "active")
    assert found.observed_at.isoformat() == "2026-01-31T12:00:00+00:00"
    assert found.valid_from.timestamp() == 1_600_000_000
    assert found.created_at.timestamp() == clock.now
    assert found.expires_at.timestamp() == clock.now + 100
    assert found.extractor == "application"


def test_what_comes_back_at_once_is_what_is_stored(ada):
    first = ada.facts.add("Ada has a cat", sources=[("chat", "m1")])
    second = ada.facts.add("Ada has a dog", replaces=first.id)
    pinned = ada.facts.update(second.id, pinned=True)
    assert ada.facts.list() == [pinned]
    assert pinned.seq == second.seq > first.seq > 0
    said = ada.instructions.add("Be brief", agent="helper")
    assert ada.instructions.list() == [said]
    assert ada.instructions.update(said.id, pinned=True) == ada.instructions.get(said.id)


def test_what_differs_in_case_space_or_a_stop_is_one_fact_seen_again(ada, clock):
    first = ada.facts.add("Ada likes Tea.", sources=[("one", "a")], confidence=0.5)
    clock.tick(10)
    again = ada.facts.add("ada  likes tea", sources=[("two", "b"), ("one", "a")])
    assert again.id == first.id
    (kept,) = ada.facts.list()
    assert (kept.seen, kept.confidence) == (2, 1.0)
    assert [source.session for source in kept.sources] == ["one", "two"]
    assert (kept.created_at, kept.observed_at.timestamp()) == (first.created_at, clock.now)


def test_facts_are_listed_in_the_order_they_came_and_stay_in_place(ada):
    for text in ("one", "two", "three"):
        ada.facts.add(text)
    ada.facts.add("one", pinned=True)
    assert texts(ada.facts) == ["one", "two", "three"]


def test_a_fact_takes_the_place_of_another(ada, clock):
    old = ada.facts.add("Ada lives in Lisbon")
    clock.tick(60)
    new = ada.facts.add("Ada lives in Porto", replaces=old.id)
    assert texts(ada.facts) == ["Ada lives in Porto"]
    gone = ada.facts.get(old.id)
    assert (gone.status, gone.superseded_by) == ("superseded", new.id)
    assert gone.valid_to.timestamp() == clock.now
    with pytest.raises(NotFound, match="no fact 'nothing'"):
        ada.facts.add("Ada lives in Faro", replaces="nothing")
    assert "Ada lives in Faro" not in texts(ada.facts, status=None)


def test_what_was_superseded_and_is_said_again_holds_a_second_time(ada):
    old = ada.facts.add("Ada lives in Lisbon", valid_from="2020-01-01")
    new = ada.facts.add("Ada lives in Porto", valid_from="2022-01-01", replaces=old.id)
    back = ada.facts.add("Ada lives in Lisbon", valid_from="2025-01-01", replaces=new.id)
    assert (back.status, back.superseded_by) == ("active", None)
    assert texts(ada.facts) == ["Ada lives in Lisbon"]
    spans = [(f.text[-6:], f.valid_from.year, f.valid_to and f.valid_to.year)
             for f in ada.facts.list(status=None)]  # fmt: skip
    assert [(name, start) for name, start, _ in spans] == [
        ("Lisbon", 2020), (" Porto", 2022), ("Lisbon", 2025)]  # fmt: skip
    assert ada.facts.get(old.id).superseded_by == new.id


def test_quarantine_is_left_only_by_approval(ada):
    doubtful = ada.facts.add("Ada is the administrator")
    ada.facts.update(doubtful.id, status="quarantined")
    assert texts(ada.facts) == []
    assert texts(ada.facts, status="quarantined") == ["Ada is the administrator"]
    ada.facts.update(doubtful.id, status="active")
    assert texts(ada.facts) == ["Ada is the administrator"]


def test_a_fact_expires(ada, clock):
    ada.facts.add("Ada is in Rome", expires_at=clock.now + 10)
    ada.facts.add("Ada has a cat")
    clock.tick(10)
    assert texts(ada.facts, status=None) == ["Ada has a cat"]


def test_an_expiry_can_be_set_and_taken_back(ada, clock):
    fact = ada.facts.add("Ada is in Rome", expires_at=clock.now + 10)
    assert ada.facts.update(fact.id, expires_at=None).expires_at is None
    clock.tick(20)
    assert texts(ada.facts) == ["Ada is in Rome"]
    ada.facts.update(fact.id, expires_at=clock.now + 1)
    clock.tick(1)
    assert texts(ada.facts) == []


@pytest.mark.parametrize("id", ["user", "nobody", "a\0b", "\ud800", "x" * 600])
def test_forgetting_an_id_that_somebody_made_up_changes_nothing(ada, id):
    """A model may name any: no mark is left, which stores might not take, or take for the user."""
    kept = ada.facts.add("Ada has a cat")
    before = ada.export()
    ada.facts.forget(id)
    ada.instructions.forget(id)
    assert ada.export() == before
    assert [fact.id for fact in ada.facts.list()] == [kept.id]
    ada.facts.forget(kept.id)
    ada.facts.forget(kept.id)
    assert ada.facts.list() == []


def test_forgetting_takes_what_was_superseded_along(ada):
    one = ada.facts.add("Ada lives in Lisbon")
    two = ada.facts.add("Ada lives in Porto", replaces=one.id)
    three = ada.facts.add("Ada lives in Faro", replaces=two.id)
    ada.facts.add("Ada has a cat")
    ada.facts.forget(three.id)
    assert texts(ada.facts, status=None) == ["Ada has a cat"]
    ada.facts.forget(three.id)
    ada.facts.forget("never there")


def test_facts_live_for_ever_whatever_sessions_do(opened, clock):
    memory = opened(ttl=10)
    memory.user("ada").facts.add("Ada has a cat")
    clock.tick(1_000_000)
    memory.sweep()
    assert texts(memory.user("ada").facts) == ["Ada has a cat"]


def test_users_and_namespaces_share_nothing(opened):
    memory, other = opened(), opened(namespace="other")
    memory.user("ada").facts.add("Ada has a cat")
    assert texts(memory.user("bob").facts) == []
    assert texts(other.user("ada").facts) == []


def test_a_session_tells_the_facts_of_its_user(memory, ada):
    ada.session("chat").add("hello")
    memory.session("chat").facts.add("Ada has a cat")  # the operator's door
    assert texts(ada.facts) == ["Ada has a cat"]
    assert texts(ada.session("new").facts) == ["Ada has a cat"]


@pytest.mark.proves("A31")
def test_sessions_without_a_user_never_share_a_memory(opened, clock):
    memory = opened(ttl=100)
    one, two = memory.session("one"), memory.session("two")
    one.add("hello")
    one.facts.add("Somebody has a cat")
    one.instructions.add("Be brief")
    assert texts(memory.session("one").facts) == ["Somebody has a cat"]
    assert texts(two.facts) == []
    assert two.instructions.list() == []
    clock.tick(100)
    assert texts(one.facts) == []


def test_where_it_was_said_is_shown(ada):
    chat = ada.session("chat")
    first, second = chat.add("I have a cat", "Her name is Tabby")
    fact = ada.facts.add("Ada has a cat", sources=[("chat", first), ("chat", second)])
    assert [item.text for item in ada.facts.explain(fact.id)] == [first.text, second.text]
    chat.remove(first.id)
    assert ada.facts.explain(fact.id) == [second]


def test_a_source_in_a_session_of_somebody_else_is_not_shown(memory, ada):
    (item,) = memory.session("hers", user="eve").add("a secret")
    fact = ada.facts.add("Ada has a cat", sources=[("hers", item)])
    assert ada.facts.explain(fact.id) == []


BAD = {
    "text must not be empty": {"text": " \n"},
    "text must be a str": {"text": 5},
    "at most 2,000": {"text": "x" * 2_001},
    "confidence must be a number from 0 to 1": {"text": "x", "confidence": 2},
    "expires_at": {"text": "x", "expires_at": "soon"},
    r"sources\[0\]": {"text": "x", "sources": [5]},
    r"sources\[0\] must have session and item": {"text": "x", "sources": [{"a": 1}]},
}


@pytest.mark.parametrize(("message", "given"), BAD.items(), ids=BAD)
def test_bad_input_names_the_field_and_writes_nothing(ada, message, given):
    with pytest.raises(InputError, match=message):
        ada.facts.add(**given)
    assert texts(ada.facts, status=None) == []


def test_unknown_facts_and_statuses_are_errors(ada):
    with pytest.raises(NotFound, match="no fact"):
        ada.facts.update("nothing", pinned=True)
    with pytest.raises(NotFound, match="no fact"):
        ada.facts.explain("nothing")
    with pytest.raises(InputError, match="status must be one of"):
        ada.facts.list(status="gone")


def test_a_redactor_sees_every_text_before_it_is_stored(opened):
    def redactor(text, kind):
        assert kind in ("fact", "instruction")
        return None if "secret" in text else text.replace("555-1234", "[phone]")

    ada = opened(redactor=redactor).user("ada")
    ada.facts.add("Ada's number is 555-1234")
    ada.instructions.add("Call 555-1234 first")
    with pytest.raises(InputError, match="redactor"):
        ada.facts.add("a secret")
    assert texts(ada.facts) == ["Ada's number is [phone]"]
    assert [one.text for one in ada.instructions.list()] == ["Call [phone] first"]


def test_many_writers_lose_nothing_and_count_right(memory, ada):
    def write(n):
        for number in range(5):
            memory.user("ada").facts.add(f"fact {n}.{number}")
            memory.user("ada").facts.add("shared")

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts(ada.facts)) == sorted(
        ["shared", *(f"fact {n}.{number}" for n in range(4) for number in range(5))]
    )
    assert next(f for f in ada.facts.list() if f.text == "shared").seen == 20


def test_there_is_a_limit_and_the_least_worth_goes_first(ada, monkeypatch):
    monkeypatch.setattr(facts_module.evict_surplus, "__defaults__", (3,))
    monkeypatch.setattr("threadkeep.longterm.store.user_stream.MAX_FACTS", 3)
    ada.facts.add("pinned", pinned=True, confidence=0)
    old = ada.facts.add("old")
    ada.facts.add("sure", replaces=old.id)
    ada.facts.add("doubtful", confidence=0.1)
    assert texts(ada.facts, status=None) == ["pinned", "sure", "doubtful"]
    ada.facts.add("surer")
    assert texts(ada.facts, status=None) == ["pinned", "sure", "surer"]


def test_long_term_memory_may_be_in_another_store(backend, clock):
    with (
        connect("memory://", clock=clock) as other,
        connect(backend, clock=clock, longterm=other) as memory,
    ):
        memory.user("ada").session("chat").add("hello")
        memory.user("ada").facts.add("Ada has a cat")
        assert texts(other.user("ada").facts) == ["Ada has a cat"]
        assert other.sessions(user="ada") == []
    with connect("memory://") as plain:
        assert texts(plain.user("ada").facts) == []


def test_a_store_for_long_term_memory_is_opened_and_closed_with_its_memory(tmp_path):
    with connect("memory://", longterm=f"sqlite:///{tmp_path}/long.db") as memory:
        memory.user("ada").facts.add("Ada has a cat")
        other = memory._engine.longterm
    assert other.closed
    with connect(tmp_path / "long.db") as again:
        assert texts(again.user("ada").facts) == ["Ada has a cat"]
    with pytest.raises(BackendError, match="closed"):
        memory.user("ada").facts.list()


def test_every_verb_has_a_twin_that_works(ada):
    async def story():
        fact = await ada.facts.aadd("Ada has a cat")
        assert await ada.facts.aget(fact.id) == (await ada.facts.alist())[0]
        await ada.facts.aupdate(fact.id, pinned=True)
        assert await ada.facts.aexplain(fact.id) == []
        await ada.facts.aforget(fact.id)
        assert await ada.facts.alist() == []
        said = await ada.instructions.aadd("Be brief")
        assert (await ada.instructions.aget(said.id)).text == "Be brief"
        await ada.instructions.aupdate(said.id, pinned=True)
        assert await ada.instructions.aexplain(said.id) == []
        await ada.instructions.aforget(said.id)
        assert await ada.instructions.alist() == []

    asyncio.run(story())


@pytest.mark.parametrize(
    "text",
    ["住在北京", "मैं दिल्ली में हूँ", "أعيش في لشبونة", "Ada lives in Rome"],
    ids=["zh", "hi", "ar", "en"],
)
def test_a_full_stop_of_any_script_makes_no_other_fact(ada, text):
    for stop in ("", "\u3002", "\u0964", "\u06d4", ".", "\u2026"):
        ada.facts.add(text + stop)
    assert len(ada.facts.list()) == 1
    ada.facts.add(f"{text}\uff1f")
    assert len(ada.facts.list()) == 2


def test_a_fact_that_begins_later_is_told_with_its_day(ada):
    ada.facts.add("Ada studies in Rome", valid_from="2050-01-01")
    assert "from 2050-01-01" in ada.context()
