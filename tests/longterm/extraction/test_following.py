"""Memory follows the chat: what was taken back is not known, what was edited is read anew."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.longterm.extraction.conftest import answer, fact, instruction
from threadkeep import connect
from threadkeep.core import copy_streams
from threadkeep.longterm.follow import Edited, withdraw
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.types import Page
from threadkeep.types.knowledge import Fact, Source


def texts(user, status="active"):
    return [entry.text for entry in user.facts.list(status=status)]


def learner(answers):
    """A model that answers by what the last message says, and counts its calls."""

    def call(messages):
        calls.append(messages)
        said = json.loads(messages[1]["content"])["messages"]
        found = [
            fact(text, line["number"], **more)
            for line in said
            for word, text, more in answers
            if word in line["text"]
        ]
        return answer(*found)

    calls: list = []
    return call, calls


PETS: list = [("cat", "Ada has a cat", {}), ("dog", "Ada has a dog", {})]


@pytest.mark.parametrize("edit", ["replace", "rewind", "remove"])
def test_what_was_taken_back_is_not_known_at_once(edit, opened):
    model, calls = learner(PETS)
    memory = opened(llm={"call": model, "idle": 3_600, "summaries": False})
    chat = memory.session("chat", user="ada")
    (said,) = chat.add("I have a cat.")
    memory.extract()
    assert texts(memory.user("ada")) == ["Ada has a cat"]
    if edit == "replace":
        chat.replace(said.id, "I have a dog.")
    elif edit == "rewind":
        chat.rewind(before=said.id)
    else:
        chat.remove(said.id)
    assert texts(memory.user("ada"), None) == []
    memory.extract()
    memory.extract()
    assert texts(memory.user("ada")) == (["Ada has a dog"] if edit == "replace" else [])
    assert len(calls) == (2 if edit == "replace" else 1)


def test_only_the_edited_message_is_read_again(opened):
    model, calls = learner(PETS)
    memory = opened(llm={"call": model, "idle": 3_600, "summaries": False})
    chat = memory.session("chat", user="ada")
    said = chat.add("Hello", "I have a cat.", "Bye")
    memory.extract()
    chat.replace(said[1].id, "I have a cat and a dog.")
    memory.extract()
    lines = json.loads(calls[-1][1]["content"])["messages"]
    assert [line["text"] for line in lines] == ["I have a cat and a dog."]
    assert texts(memory.user("ada")) == ["Ada has a cat", "Ada has a dog"]
    (source,) = memory.user("ada").facts.list()[0].sources
    assert source.item == said[1].id
    assert memory.extract().calls == 0


def test_an_edit_before_it_was_read_costs_nothing_more(opened):
    model, calls = learner(PETS)
    memory = opened(llm={"call": model, "idle": 3_600, "summaries": False})
    chat = memory.session("chat", user="ada")
    (said,) = chat.add("I have a cat.")
    chat.replace(said.id, "I have a dog.")
    memory.extract()
    assert texts(memory.user("ada")) == ["Ada has a dog"]
    assert len(calls) == 1


def test_what_stands_elsewhere_too_stays_known(opened):
    model, _ = learner(PETS)
    memory = opened(llm={"call": model, "idle": 3_600, "summaries": False})
    chat = memory.session("chat", user="ada")
    said = chat.add("I have a cat.", "As I said, a cat.")
    memory.session("other", user="ada").add("My cat sleeps; I have a cat.")
    memory.extract()
    chat.remove(*(item.id for item in said))
    assert texts(memory.user("ada")) == ["Ada has a cat"]


def test_what_it_had_replaced_holds_again(opened, clock):
    model, _ = learner(
        [
            ("Lisbon", "Ada lives in Lisbon", {}),
            ("Porto", "Ada lives in Porto", {"relation": "updates", "known": 1}),
        ]
    )
    memory = opened(llm={"call": model, "idle": 3_600, "summaries": False})
    chat = memory.session("chat", user="ada")
    chat.add("I live in Lisbon.")
    memory.extract()
    clock.tick(60)
    (moved,) = chat.add("I live in Porto now.")
    memory.extract()
    assert texts(memory.user("ada")) == ["Ada lives in Porto"]
    chat.rewind(before=moved.id)
    (home,) = memory.user("ada").facts.list()
    assert (home.text, home.valid_to, home.superseded_by) == ("Ada lives in Lisbon", None, None)


def test_an_instruction_goes_with_its_words(opened):
    def model(messages):
        return answer(instructions=[instruction("Answer in French", 1)])

    memory = opened(llm={"call": model, "idle": 3_600, "summaries": False})
    chat = memory.session("chat", user="ada")
    (said,) = chat.add("From now on, please answer in French.")
    memory.extract()
    assert len(memory.user("ada").instructions.list()) == 1
    chat.remove(said.id)
    assert memory.user("ada").instructions.list(status=None) == []


def test_what_an_application_knows_of_itself_stays(opened):
    memory = opened()
    chat = memory.session("chat", user="ada")
    (said,) = chat.add("I have a cat.")
    memory.user("ada").facts.add("Ada has a cat", sources=[("chat", said)])
    chat.remove(said.id)
    assert texts(memory.user("ada")) == ["Ada has a cat"]


def test_deleting_and_clearing_a_session_leave_what_is_known(opened):
    model, _ = learner(PETS)
    memory = opened(llm={"call": model, "idle": 3_600, "summaries": False})
    for id, word in (("one", "cat"), ("two", "dog")):
        memory.session(id, user="ada").add(f"I have a {word}.")
    memory.extract()
    memory.session("one", user="ada").delete()
    memory.session("two", user="ada").clear()
    assert sorted(texts(memory.user("ada"))) == ["Ada has a cat", "Ada has a dog"]


@pytest.mark.proves("D13")
def test_what_was_forgotten_and_what_was_read_travel_with_an_export():
    model, _ = learner(PETS)
    options = {"llm": {"call": model, "idle": 3_600, "summaries": False}}
    with connect("memory://", **options) as memory, connect("memory://", **options) as other:
        ada = memory.user("ada")
        ada.session("chat").add("I have a cat and a dog.")
        memory.extract()
        ada.facts.forget(next(f.id for f in ada.facts.list() if "cat" in f.text))
        other.user("ada").restore(ada.export())
        assert other.extract().calls == 0
        assert texts(other.user("ada")) == ["Ada has a dog"]
        other.user("ada").session("chat").add("More.")
        assert other.extract().calls == 1
        assert texts(other.user("ada")) == ["Ada has a dog"]
        assert other.user("ada").export().count('"forgotten"') == 1


def test_an_older_export_does_not_bring_back_what_was_forgotten_since():
    with connect("memory://") as memory:
        ada = memory.user("ada")
        cat = ada.facts.add("Ada has a cat")
        export = ada.export()
        ada.facts.forget(cat.id)
        ada.restore(export)
        assert texts(ada) == []
        ada.restore(export, keep_forgotten=False)
        assert texts(ada) == ["Ada has a cat"]


@pytest.mark.proves("D13")
def test_a_copied_store_is_not_read_again():
    model, _ = learner(PETS)
    options = {"llm": {"call": model, "idle": 3_600, "summaries": False}}
    with connect("memory://", **options) as memory, connect("memory://", **options) as other:
        chat = memory.session("chat", user="ada")
        first = chat.add("Hello", "I have a cat.")
        chat.remove(first[0].id)  # so that places differ in the copy
        memory.extract()
        names = copy_streams.stream_names(memory.backend)
        assert {r.outcome for r in copy_streams.copy(memory.backend, other.backend, names)} == {
            "copied"
        }
        assert other.extract().calls == 0
        other.session("chat", user="ada").add("I have a dog.")
        assert other.extract().calls == 1
        assert texts(other.user("ada")) == ["Ada has a cat", "Ada has a dog"]


def test_a_session_begun_anew_under_the_same_ids_is_read(opened):
    model, calls = learner(PETS)
    memory = opened(llm={"call": model, "idle": 3_600, "summaries": False})
    chat = memory.session("chat", user="ada")
    chat.add({"role": "user", "id": "m1", "content": "I have a cat."})
    memory.extract()
    chat.delete()
    chat.add({"role": "user", "id": "m1", "content": "I have a dog."})
    memory.extract()
    assert len(calls) == 2


def test_what_is_edited_while_another_message_is_read_is_read_again_too(opened):
    memories: list = []
    seen: list = []

    def model(messages):
        said = json.loads(messages[1]["content"])["messages"]
        seen.append([line["text"] for line in said])
        if said[-1]["text"] == "Hello again.":
            chat = memories[0].session("chat")
            chat.replace(chat.items()[0].id, "I have a dog.")
        return answer(
            *(
                fact(f"Ada has a {word}", line["number"])
                for line in said
                for word in ("cat", "dog")
                if word in line["text"]
            )
        )

    memory = opened(llm={"call": model, "idle": 3_600, "summaries": False})
    memories.append(memory)
    chat = memory.session("chat", user="ada")
    chat.add("I have a cat.")
    memory.extract()
    chat.add("Hello again.")
    memory.extract()
    memory.extract()
    assert seen == [["I have a cat."], ["Hello again."], ["I have a dog."]]
    assert texts(memory.user("ada")) == ["Ada has a dog"]
    assert memory.extract().calls == 0


def test_a_failure_keeps_what_is_to_be_read_again(opened, clock):
    answers = [
        answer(fact("Ada has a cat", 1)),
        "no JSON",
        "no JSON",
        answer(fact("Ada has a dog", 1)),
    ]
    memory = opened(
        llm={"call": lambda messages: answers.pop(0), "idle": 3_600, "summaries": False}
    )
    chat = memory.session("chat", user="ada")
    (said,) = chat.add("I have a cat.")
    memory.extract()
    chat.replace(said.id, "I have a dog.")
    assert memory.extract().failures == 1
    clock.tick(60)
    memory.extract()
    assert texts(memory.user("ada")) == ["Ada has a dog"]


def test_a_fact_that_holds_again_stays_so_when_it_loses_a_source_itself():
    stale, remaining = Source("chat", "i1"), Source("chat", "i2")
    unit = UnitOfWork([Page(0, [])] * 4)
    unit.put_fact(Fact("newer", "Ada lives in Rome", (stale,), extractor="model/1"))
    older = Fact("older", "Ada lives in Oslo", (stale, remaining), extractor="model/1")
    unit.put_fact(replace(older, status="superseded", superseded_by="newer"))
    withdraw(unit, Edited(None, "chat", {"i1": None}))
    assert list(unit.facts.values()) == [replace(older, sources=(remaining,))]
