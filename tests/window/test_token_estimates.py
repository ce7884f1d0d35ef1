"""Estimates of tokens beside the true counts of `o200k_base`, on texts that fitted no weight.

`token_counts.json` holds texts with their counts by tiktoken: generated JSON, CSV, logs, ids and
encodings, paragraphs of the Universal Declaration of Human Rights, and pages of this project.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.window.looking import many
from threadkeep.types import Item
from threadkeep.window import tokens

ENTRIES = json.loads(Path(__file__).with_name("token_counts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["name"])
def test_an_estimate_is_near_the_true_count(entry):
    assert 0.9 <= tokens.estimate(entry["text"]) / entry["tokens"] <= 1.3


def test_a_window_of_all_kinds_is_nearer():
    items = [Item(content=entry["text"]) for entry in ENTRIES]
    true_count = sum(entry["tokens"] + 4 for entry in ENTRIES)
    assert 0.95 <= tokens.total(items, tokens.estimate) / true_count <= 1.3


@pytest.mark.parametrize("size", [20, 60, 200])
def test_short_messages_add_up(size):
    texts = [entry["text"] for entry in ENTRIES if entry["name"].startswith(("prose", "json"))]
    pieces = [text[start : start + size] for text in texts for start in range(0, 400, size)]
    whole = sum(tokens.estimate(text[:400]) for text in texts)
    assert 0.9 <= sum(map(tokens.estimate, pieces)) / whole <= 1.5


@pytest.mark.parametrize("word", ["word", "hello", "data"])
def test_a_word_over_and_over_is_a_token_each_time(word):
    assert 0.9 <= tokens.estimate(f"{word} " * 1_000) / 1_000 <= 1.3


@many
@given(st.text())
def test_an_estimate_is_never_more_than_the_bytes(text):
    size = len(text.encode("utf-8", "surrogatepass"))
    assert min(1, size) <= tokens.estimate(text) <= size
