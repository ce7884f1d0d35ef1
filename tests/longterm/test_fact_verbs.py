"""Facts as people use them: many at once, by day and category, with their history."""

from __future__ import annotations

import pytest

from threadkeep import connect
from threadkeep.errors import InputError, NotFound


def texts(facts):
    return [fact.text for fact in facts]


def test_many_facts_are_one_commit(ada, monkeypatch):
    commits: list = []
    engine = ada._engine
    commit = engine.commit

    def counted(*args, **options):
        commits.append(args)
        return commit(*args, **options)

    monkeypatch.setattr(engine, "commit", counted)
    stored = ada.facts.add_many(
        ["Ada has a cat", {"text": "Ada eats fish", "category": "diet"}, "Ada has a cat."]
    )
    assert len(commits) == 1
    assert texts(ada.facts.list()) == ["Ada has a cat", "Ada eats fish"]
    assert (stored[0].id, stored[2].id) == (stored[0].id, stored[0].id)
    assert ada.facts.get(stored[0].id).seen == 2
    assert all(fact.seq for fact in stored)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("Ada has a cat", "facts must be a list"),
        (["Ada has a cat", 5], r"facts\[1\] must be a str or a dict"),
        ([{"text": "x", "categroy": "diet"}], "did you mean 'category'"),
        ([{"text": ""}], r"facts\[0\]: text"),
        ([{"category": "diet"}], r"facts\[0\]: text"),
    ],
    ids=["str", "int", "typo", "empty", "no text"],
)
def test_a_bad_entry_is_named_and_nothing_is_written(ada, entries, message):
    with pytest.raises(InputError, match=message):
        ada.facts.add_many(entries)
    assert ada.facts.list(status=None) == []


def test_facts_by_category_and_limit(ada):
    for n in range(4):
        ada.facts.add(f"Ada eats dish {n}", category="diet", metadata={"n": n})
    ada.facts.add("Ada has a cat")
    assert len(ada.facts.list(category="diet")) == 4
    assert texts(ada.facts.list(category="diet", limit=2)) == ["Ada eats dish 2", "Ada eats dish 3"]
    fact = ada.facts.list(category="diet")[1]
    assert fact.metadata == {"n": 1}
    changed = ada.facts.update(fact.id, category="food", metadata={"n": 9})
    assert (changed.category, changed.metadata) == ("food", {"n": 9})
    with pytest.raises(InputError, match="limit"):
        ada.facts.list(limit=0)
    with pytest.raises(InputError, match="metadata"):
        ada.facts.add("x", metadata={"a": object()})


def test_facts_as_they_were_on_a_day(ada):
    lisbon = ada.facts.add("Ada lives in Lisbon", valid_from="2020-01-01")
    porto = ada.facts.add("Ada lives in Porto", valid_from="2022-01-01", replaces=lisbon.id)
    ada.facts.add("Ada lives in Lisbon", valid_from="2024-01-01", replaces=porto.id)
    ada.facts.add("Ada studies in Rome", valid_from="2050-01-01")
    homes = {
        day: texts(ada.facts.list(at=day))
        for day in ("2019-06-01", "2021-06-01", "2023-06-01", "2025-06-01", "2051-01-01")
    }
    assert homes == {
        "2019-06-01": [],
        "2021-06-01": ["Ada lives in Lisbon"],
        "2023-06-01": ["Ada lives in Porto"],
        "2025-06-01": ["Ada lives in Lisbon"],
        "2051-01-01": ["Ada lives in Lisbon", "Ada studies in Rome"],
    }


def test_the_history_of_a_fact_is_the_same_from_each_of_its_links(ada):
    lisbon = ada.facts.add("Ada lives in Lisbon", valid_from="2020-01-01")
    porto = ada.facts.add("Ada lives in Porto", valid_from="2022-01-01", replaces=lisbon.id)
    rome = ada.facts.add("Ada lives in Rome", valid_from="2024-01-01", replaces=porto.id)
    ada.facts.add("Ada has a cat")
    expected = ["Ada lives in Lisbon", "Ada lives in Porto", "Ada lives in Rome"]
    for fact in (lisbon, porto, rome):
        assert texts(ada.facts.history(fact.id)) == expected
    with pytest.raises(NotFound):
        ada.facts.history("nothing")


def test_what_is_forgotten_is_forgotten_at_all_of_its_times(ada):
    lisbon = ada.facts.add("Ada lives in Lisbon", valid_from="2020-01-01")
    porto = ada.facts.add("Ada lives in Porto", valid_from="2022-01-01", replaces=lisbon.id)
    back = ada.facts.add("Ada lives in Lisbon", valid_from="2024-01-01", replaces=porto.id)
    ada.facts.forget(back.id)
    assert ada.facts.list(status=None) == []


def test_adding_reads_no_more_when_more_is_known(ada, monkeypatch):
    def records_read(text):
        counted = []
        engine = ada._engine
        read = engine.read

        def counting(*queries):
            pages = read(*queries)
            counted.append(sum(len(page.records) for page in pages))
            return pages

        with monkeypatch.context() as patched:
            patched.setattr(engine, "read", counting)
            ada.facts.add(text)
        return sum(counted)

    ada.facts.add("Ada has a cat")
    few = records_read("Ada has a dog")
    ada.facts.add_many([f"Ada knows person {n}" for n in range(300)])
    assert records_read("Ada has a horse") <= few + 1
    assert len(ada.facts.list()) == 303


def test_a_fact_that_is_said_again_leaves_the_stable_part_as_it_was(ada):
    chat = ada.session("chat")
    for n in range(30):
        ada.facts.add(f"Ada knows person {n}", observed_at=f"2026-01-{n + 1:02}")
    ada.facts.add("Ada is allergic to nuts", pinned=True, observed_at="2026-03-01")
    before = chat.context("hello").stable
    for text in ("Ada is allergic to nuts", "Ada knows person 3", "Ada knows person 29"):
        ada.facts.add(text, observed_at="2026-03-09")
    assert chat.context("hello").stable == before


def test_a_fact_that_begins_later_says_so():
    with connect("memory://") as memory:
        ada = memory.user("ada")
        ada.facts.add("Ada studies in Rome", valid_from="2050-01-01")
        assert "from 2050-01-01" in ada.context()


@pytest.mark.parametrize(
    "text",
    ["住在北京。", "मैं दिल्ली में हूँ।", "أعيش في القاهرة\u06d4", "Ada has a cat!"],
    ids=["zh", "hi", "ur", "en"],
)
def test_what_ends_a_sentence_makes_no_other_fact(ada, text):
    ada.facts.add(text)
    ada.facts.add(text[:-1])
    assert len(ada.facts.list()) == 1
