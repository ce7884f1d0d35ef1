"""A form of two words is both of them where something is compared or to be forgotten."""

from __future__ import annotations

import pytest

from tests.longterm.recall.conftest import said
from threadkeep import connect
from threadkeep.longterm.extraction.text_features import says_all_of


@pytest.mark.parametrize(
    ("text", "asked", "is_about"),
    [
        ("The user lives in Lisbon", "I live in Lisbon", True),
        ("I live in Lisbon", "Ada lives in Lisbon", False),
        ("Ada lives in Lisbon", "Ada lives in Lisbon", True),
        ("Ada grows roses", "the rose", True),
        ("Ada has nine lives", "my life", True),
        ("The user lives in Porto", "I live in Lisbon", False),
    ],
    ids=["lives", "another name", "same", "roses", "life", "another town"],
)
def test_every_word_in_some_form(text, asked, is_about):
    assert says_all_of(text, asked) == is_about


def test_forget_that_i_live_there():
    def model(messages):
        return '{"facts": [], "instructions": []}'

    with connect("memory://", llm=model) as memory:
        facts = memory.user("ada").facts
        facts.add("The user lives in Lisbon")
        facts.add("The user works in Lisbon")
        memory.session("s", user="ada").add(said("Forget that I live in Lisbon."))
        memory.extract()
        assert [fact.text for fact in memory.user("ada").facts.list()] == [
            "The user works in Lisbon"
        ]
