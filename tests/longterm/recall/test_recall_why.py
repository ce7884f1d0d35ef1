"""Filters by kind, and the explanation of each hit."""

from __future__ import annotations

import pytest

from tests.longterm.recall.conftest import said, texts
from threadkeep.errors import InputError


@pytest.fixture
def ada(opened):
    ada = opened().user("ada")
    session = ada.session("trip")
    session.add(
        said("Which cabin is yours?", name="Ben", at="2026-06-03T10:00:00Z"),
        said("The one with the balcony.", name="Ada", at="2026-06-03T10:01:00Z"),
    )
    ferry = ada.session("ferry").add(said("We took the ferry."))
    ada.facts.add("Ada gets seasick on a ferry", sources=[("ferry", ferry[0])])
    return ada


def reasons(hit):
    return {reason.kind: reason.words for reason in hit.why}


def test_kind_chooses_facts_or_items(ada):
    assert texts(ada.recall("ferry", kind="fact")) == ["Ada gets seasick on a ferry"]
    assert texts(ada.recall("ferry", kind="item")) == ["We took the ferry."]
    assert len(ada.recall("ferry")) == 2


@pytest.mark.parametrize("filters", [{"kind": "turn"}, {"kind": "fact", "role": "user"}])
def test_a_kind_that_finds_nothing_is_refused(ada, filters):
    with pytest.raises(InputError, match="kind"):
        ada.recall("ferry", **filters)


def test_a_hit_says_which_words_found_it(ada):
    [hit] = [hit for hit in ada.recall("Which ferry?") if hit.fact is None]
    assert reasons(hit) == {"words": ("ferry",), "facts": ("ferry",)}
    assert sum(reason.share for reason in hit.why) == pytest.approx(1, abs=0.01)


def test_a_hit_says_whom_it_was_said_by_when_and_next_to_what(ada):
    [hit] = [hit for hit in ada.recall("Ada's cabin in June") if "balcony" in hit.text]
    assert reasons(hit) == {"neighbours": ("cabin",), "speaker": ("ada",), "date": ("june",)}


def test_kin_are_named_by_the_word_that_was_asked(ada):
    [hit] = ada.recall("balconies", 1)
    assert reasons(hit) == {"words": ("balconies",)}
