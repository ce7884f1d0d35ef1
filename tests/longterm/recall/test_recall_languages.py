"""Recall in other scripts and languages: spellings, and whole questions."""

from __future__ import annotations

import dataclasses

import pytest

import threadkeep
from tests.longterm.recall.conftest import said, texts
from tests.longterm.recall.everyday import EVERYDAY
from tests.longterm.recall.languages import QUESTIONS, SPELLINGS
from threadkeep.longterm.recall.tokenizer import query_words
from threadkeep.longterm.store import user_stream


@pytest.fixture
def user():
    with threadkeep.connect("memory://") as memory:  # the same on every store
        yield memory.user("ada")


LEAST = 8
"""Questions of ten that find what answers them first."""


@pytest.mark.proves("D15")
@pytest.mark.parametrize(
    ("text", "asked"), SPELLINGS, ids=[f"spelling {n}" for n in range(len(SPELLINGS))]
)
def test_found_however_it_is_written(user, text, asked):
    user.session("s").add("Something else.", text, "Another thing.")
    assert texts(user.recall(asked, 1)) == [text]


@pytest.mark.proves("D15")
@pytest.mark.parametrize("questions", [QUESTIONS, EVERYDAY], ids=["first set", "second set"])
@pytest.mark.parametrize("language", QUESTIONS)
def test_whole_questions_find_their_answer_first(user, language, questions):
    for n, (answer, _) in enumerate(questions[language]):
        user.session(f"s{n}").add(said(answer))
    missed = [
        asked for answer, asked in questions[language] if texts(user.recall(asked, 1)) != [answer]
    ]
    assert len(questions[language]) - len(missed) >= LEAST, missed


@pytest.mark.parametrize(
    ("asked", "sought"),
    [
        ("妻の職業は何でしたっけ?", ["妻", "职业", "何"]),
        ("私の妻", ["私", "妻"]),
        ("東京は", ["东京"]),
        ("オーケストラ", ["おー", "ーけ", "けす", "すと", "とら"]),
    ],
    ids=["between particles", "at the end", "two letters", "kana alone"],
)
def test_a_han_letter_between_kana_is_looked_for_alone(asked, sought):
    assert [word[0] for word in query_words(asked)] == sought


def test_a_hindi_noun_in_another_case_is_found(user):
    user.session("s").add(said("किराया दस प्रतिशत बढ़ा"), said("कमरे में धूप आती है"))
    assert texts(user.recall("किराए में कितनी बढ़ोतरी?", 1)) == ["किराया दस प्रतिशत बढ़ा"]


def test_a_stop_word_is_one_however_its_umlaut_is_written():
    asked = "Wie viel muss ich für das Auto bezahlen?"
    assert "für" in asked
    assert all("fuer" not in word for word in query_words(asked))


def test_a_form_of_two_words_is_found_by_both(user):
    for text in ("My brother lives next to the harbour", "Ada grows roses", "Tom has nine lives"):
        user.facts.add(text)
    assert texts(user.recall("Where did he live?", 1)) == ["My brother lives next to the harbour"]
    assert texts(user.recall("Which rose?", 1)) == ["Ada grows roses"]
    assert texts(user.recall("whose life", 1))[0].endswith("lives next to the harbour")


def test_kin_are_found_where_a_common_word_occurs_too(user):
    user.session("s").add(said("Ich habe eine Frage"), said("Gegen Erdnüsse bin ich allergisch"))
    user.session("t").add(said("Das ist eine andere Frage"))
    assert texts(user.recall("eine Erdnussallergie", 1)) == ["Gegen Erdnüsse bin ich allergisch"]


def test_a_fact_is_found_by_its_gloss_too(user):
    user.facts.add("她对坚果过敏")
    [fact] = user.facts.list()
    unit = user_stream.UserStream(user._engine, user=user.id)
    glossed = dataclasses.replace(fact, gloss="The user is allergic to nuts")
    unit.transact(lambda work: work.put_fact(glossed))
    assert [hit.fact.id for hit in user.recall("allergic to nuts")] == [fact.id]


def test_a_fact_that_ended_is_not_found(user):
    user.facts.add("Ada rents a flat in Oslo", valid_from="2020-01-01", valid_to="2021-01-01")
    assert user.recall("flat Oslo") == []
