"""An embedder reorders what words have found; it adds nothing, and its failure takes nothing."""

from __future__ import annotations

import pytest

from tests.longterm.recall.conftest import said, texts


class Colours:
    """A small embedder: a dimension for each colour, and one for the rest."""

    def __init__(self):
        self.asked = []

    def __call__(self, batch):
        self.asked.append(list(batch))
        groups = (("red", "scarlet"), ("blue", "navy"))
        return [[0.1, *(float(any(w in t for w in g)) for g in groups)] for t in batch]


@pytest.fixture
def colours():
    return Colours()


@pytest.fixture
def ada(opened, colours):
    user = opened(embedder=colours).user("ada")
    for n, colour in enumerate(("navy", "scarlet")):
        user.session(f"s{n}").add(said(f"a {colour} kite"))
    return user


def test_what_means_the_same_moves_up(ada):
    assert texts(ada.recall("red kite")) == ["a scarlet kite", "a navy kite"]
    assert texts(ada.recall("blue kite")) == ["a navy kite", "a scarlet kite"]


def test_nothing_is_found_that_words_do_not_find(ada):
    assert ada.recall("red balloon") == []


def test_only_the_best_are_given_out(ada):
    assert texts(ada.recall("red kite", 1)) == ["a scarlet kite"]


def test_a_text_is_embedded_once(ada, colours):
    ada.recall("red kite")
    ada.recall("blue kite")
    assert [len(batch) for batch in colours.asked] == [2, 1, 1], "what was said, and each question"


@pytest.mark.parametrize("fault", [RuntimeError("no model"), None])
def test_if_it_fails_words_decide(opened, caplog, fault):
    def broken(batch):
        if fault is not None:
            raise fault
        return []  # too few

    ada = opened(embedder=broken).user("ada")
    ada.session("s").add(said("a secret kite"))
    assert texts(ada.recall("kite")) == ["a secret kite"]
    assert "recall goes by words alone" in caplog.text
    assert "secret" not in caplog.text
