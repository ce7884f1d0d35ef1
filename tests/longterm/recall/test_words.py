"""What counts as a word, as a short question, as something to look for."""

from __future__ import annotations

import itertools
import unicodedata
from datetime import UTC, datetime

import pytest
import snowballstemmer  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from threadkeep.longterm.recall import fold, tokenizer


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
        ("\u6771\u4eac\u90fd Tokyo", ["\u4e1c\u4eac", "\u4eac\u90fd", "tokyo"]),
        ("\u72ac", ["\u72ac"]),
        ("\u0939\u093f\u0928\u094d\u0926\u0940 ok", ["\u0939\u093f\u0902\u0926\u0940", "ok"]),
        ("", []),
        ("?! \u2026", []),
    ],
)
def test_words_of_any_script(text, found):
    assert tokenizer.tokens(text) == found


def flat(words):
    return [reading for word in words for reading in word]


def test_forms_of_a_word_meet():
    assert tokenizer.stems("bought buying") == tokenizer.stems("buy buys")
    assert set(tokenizer.stems("children")) <= set(tokenizer.stems("child kids"))


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("lives", "life live"), ("leaves", "leaf leave"), ("rose", "rise roses"),
        ("saw", "see saws"), ("bit", "bite bits"), ("spoke", "speak spokes"), ("kids", "child kid"),
    ],
    ids=["lives", "leaves", "rose", "saw", "bit", "spoke", "kids"],
)  # fmt: skip
def test_a_form_of_two_words_is_read_as_both(form, words):
    (both,) = tokenizer.words(form)
    for word in words.split():
        assert tokenizer.stem(word) in both


def test_a_short_question_is_apart_from_what_is_stated():
    stated, asked = tokenizer.split("I have a dog. Do you like cats? Fine!")
    assert flat(stated) == tokenizer.stems("I have a dog fine")
    assert flat(asked) == tokenizer.stems("do you like cats")


def test_a_long_question_states_something():
    text = "How do I " + "very " * 20 + "carefully cook?"
    assert tokenizer.split(text) == (tokenizer.words(text), [])


def test_stop_words_are_looked_for_only_if_there_is_nothing_else():
    assert tokenizer.query_words("What did the dog do?") == {("dog",): "dog"}
    assert list(tokenizer.query_words("what is it")) == tokenizer.words("what is it")


def test_a_day_is_called_by_its_number_its_month_and_its_year():
    day = tokenizer.date_stems(datetime(2023, 5, 8, tzinfo=UTC))
    assert {word[0] for word in tokenizer.query_words("on 8 May 2023")} == set(day)


@pytest.mark.parametrize(
    ("written", "alike"),
    [
        ("\u0623\u064e\u0646\u0627", "\u0627\u0646\u0627"),
        ("\u0664\u0660\u0662", "402"),
        ("\u0967\u0968", "12"),
        ("\u092b\u093c\u093f\u0932\u094d\u092e", "\u092b\u093f\u0932\u094d\u092e"),
        ("\u30cd\u30b3", "\u306d\u3053"),
        ("\uff8c\uff9e", "\u3076"),
        ("\u0141\u00f3d\u017a", "lodz"),
        ("\u0130stanbul \u0131l\u0131k", "istanbul ilik"),
        ("pass\u200bword", "password"),
        ("\u81fa\u7063", "\u53f0\u6e7e"),
        ("\uff28\uff45\uff4c\uff4c\uff4f", "hello"),
        ("S\u00f8ren", "soren"),
        ("\U0001f44d\U0001f3fd", "\U0001f44d"),
    ],
    ids=[
        "arabic signs", "arabic digits", "hindi digits", "nukta", "katakana", "half width",
        "polish", "turkish", "zero width", "traditional", "full width", "danish", "skin tone",
    ],
)  # fmt: skip
def test_folded_to_one_spelling(written, alike):
    assert tokenizer.tokens(written) == tokenizer.tokens(alike)


LETTERS = st.text(
    st.one_of(
        st.characters(codec="utf-8", max_codepoint=0x30FF),
        st.characters(min_codepoint=0x4E00, max_codepoint=0xD7AF, exclude_categories=["Cs", "Cn"]),
        st.sampled_from("\U0001f355\U0001f1e9\U0001f1ea\u200d\ufe0f-'?! "),
    ),
    max_size=30,
)


@settings(max_examples=200)
@given(LETTERS)
def test_composed_and_decomposed_letters_are_the_same_words(text):
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert tokenizer.words(composed) == tokenizer.words(decomposed)
    folded = fold.fold(text)
    assert fold.fold(folded) == folded


@settings(max_examples=200)
@given(LETTERS)
def test_what_was_written_is_found_by_the_same_words(text):
    indexed = [set(word) for word in tokenizer.words(text)]
    for word in tokenizer.query_words(text):
        assert any(set(word) <= readings for readings in indexed)


def test_endings_of_other_scripts_meet_as_snowball_makes_them_meet():
    """Of pairs of forms that Snowball's Russian stemmer takes for one word, nearly all are one."""
    snowball = snowballstemmer.stemmer("russian")
    forms = """москва москве москву кошка кошки кошкой работаю работает работать
        сестра сестрой сестры красный красная красные""".split()  # noqa: SIM905
    for first, second in itertools.combinations(forms, 2):
        alike = snowball.stemWord(first) == snowball.stemWord(second)
        assert (tokenizer.stem(first) == tokenizer.stem(second)) >= alike, (first, second)
