"""What counts as a word, as a short question, as something to look for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from threadkeep.longterm.recall import tokenizer


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Caroline's dog", ["caroline", "dog"]),
        ("Caroline\u2019s dog, don't", ["caroline", "dog", "don"]),
        ("l'homme", ["l", "homme"]),
        ("self-care at 8pm", ["self", "care", "at", "8pm"]),
        ("Stra\u00dfe caf\u00e9 \u00dcbung", ["strasse", "cafe", "ubung"]),
        (
            "\u041c\u043e\u0441\u043a\u0432\u0430 \u0438",
            ["\u043c\u043e\u0441\u043a\u0432\u0430", "\u0438"],
        ),
        ("\u6771\u4eac\u90fd Tokyo", ["\u6771\u4eac", "\u4eac\u90fd", "tokyo"]),
        ("\u72ac", ["\u72ac"]),
        ("\u0939\u093f\u0928\u094d\u0926\u0940 ok", ["\u0939\u093f\u0928\u094d\u0926\u0940", "ok"]),
        ("", []),
        ("?! \u2026", []),
    ],
)
def test_words_of_any_script(text, found):
    assert tokenizer.tokens(text) == found


def test_forms_of_a_word_meet():
    assert tokenizer.stems("bought buying") == tokenizer.stems("buy buys")
    assert tokenizer.stems("kids children") == tokenizer.stems("child child")


def test_a_short_question_is_apart_from_what_is_stated():
    stated, asked = tokenizer.split("I have a dog. Do you like cats? Fine!")
    assert stated == tokenizer.stems("I have a dog fine")
    assert asked == tokenizer.stems("do you like cats")


def test_a_long_question_states_something():
    text = "How do I " + "very " * 20 + "carefully cook?"
    assert tokenizer.split(text) == (tokenizer.stems(text), [])


def test_stop_words_are_looked_for_only_if_there_is_nothing_else():
    assert tokenizer.query_stems("What did the dog do?") == ["dog"]
    assert tokenizer.query_stems("what is it") == tokenizer.stems("what is it")


def test_a_day_is_called_by_its_number_its_month_and_its_year():
    day = tokenizer.date_stems(datetime(2023, 5, 8, tzinfo=UTC))
    assert set(tokenizer.query_stems("on 8 May 2023")) == set(day)
