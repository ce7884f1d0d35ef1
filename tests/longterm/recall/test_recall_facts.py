"""Facts: found beside what was said, and lending their words to the turns they came from."""

from __future__ import annotations

from tests.longterm.recall.conftest import said, texts


def test_a_fact_is_a_hit_of_its_own(ada):
    (item,) = ada.session("s").add(said("Peanuts make me sick."))
    fact = ada.facts.add("Ada is allergic to nuts", sources=[("s", item)])
    hit = ada.recall("allergic")[0]
    assert hit.fact == ada.facts.get(fact.id)
    assert (hit.item, hit.session, hit.text) == (None, "s", fact.text)


def test_the_words_of_a_fact_lead_to_its_source(ada):
    item, _ = ada.session("s").add(said("Peanuts make me sick."), said("Oh dear."))
    ada.facts.add("Ada is allergic to nuts", sources=[("s", item)])
    assert texts(ada.recall("allergic"))[1] == "Peanuts make me sick."


def test_the_order_in_which_fact_and_source_were_read_does_not_matter(ada):
    chat = ada.session("s")
    ada.facts.add("Ada is allergic to nuts", sources=[("s", "one")])
    assert len(ada.recall("allergic")) == 1
    chat.add({**said("Peanuts make me sick."), "id": "one"})
    assert "Peanuts make me sick." in texts(ada.recall("allergic"))


def test_only_facts_that_hold_are_found(ada, clock):
    old = ada.facts.add("Ada lives in Berlin")
    ada.facts.add("Ada lives in Rome", replaces=old.id)
    doubtful = ada.facts.add("Ada lives in Atlantis")
    ada.facts.update(doubtful.id, status="quarantined")
    ada.facts.add("Ada lives in a tent", expires_at=clock() + 60)
    found = texts(ada.recall("Where does Ada live?"))
    assert sorted(found) == ["Ada lives in Rome", "Ada lives in a tent"]
    clock.tick(61)
    assert texts(ada.recall("Where does Ada live?")) == ["Ada lives in Rome"]


def test_a_forgotten_fact_is_not_found(ada):
    fact = ada.facts.add("Ada lives in Rome")
    assert ada.recall("Rome")
    ada.facts.forget(fact.id)
    assert ada.recall("Rome") == []


def test_facts_have_no_role_and_the_session_they_came_from(ada):
    (item,) = ada.session("s").add(said("Peanuts make me sick."))
    ada.session("t").add(said("An allergic reaction."))
    fact = ada.facts.add("Ada is allergic to nuts", sources=[("s", item)])
    assert fact.text not in texts(ada.recall("allergic", role="user"))
    assert fact.text in texts(ada.recall("allergic", session="s"))
    assert fact.text not in texts(ada.recall("allergic", session="t"))


def test_facts_in_another_store_are_found_as_well(opened):
    memory = opened(longterm="memory://")
    ada = memory.user("ada")
    (item,) = ada.session("s").add(said("Peanuts make me sick."))
    ada.facts.add("Ada is allergic to nuts", sources=[("s", item)])
    assert texts(ada.recall("allergic")) == ["Ada is allergic to nuts", "Peanuts make me sick."]
