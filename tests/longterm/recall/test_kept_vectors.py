"""Vectors: rescaled among the best, kept with the segments, made once, gone with them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backends.test_crash_points import Cut, Dying
from tests.longterm.recall import kept
from tests.longterm.recall.conftest import said, texts
from threadkeep import Embedder, connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import ConfigError
from threadkeep.longterm.recall.segments import build, writer
from threadkeep.longterm.recall.vectors import quantised

GROUPS = (("red", "scarlet"), ("blue", "navy"))


class Colours:
    """A small model whose vectors lie close together, as those of real ones do."""

    def __init__(self, name="colours-1"):
        self.queries, self.passages, self.fails = [], [], False
        self.embedder = Embedder(
            name=name, query=self.query, passage=self.passage, dimensions=len(GROUPS) + 1
        )

    def query(self, batch):
        self.queries += batch
        return [vector(text) for text in batch]

    def passage(self, batch):
        if self.fails:
            raise RuntimeError("no model")
        self.passages += batch
        return [vector(text.rpartition("\n")[2]) for text in batch]


def vector(text):
    return [5.0, *(0.5 * any(word in text for word in group) for group in GROUPS)]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    kept.small_segments(monkeypatch)


@pytest.fixture
def backend():
    made = MemoryBackend()
    yield made
    made.close()


@pytest.fixture
def colours():
    return Colours()


def tell(memory, sessions=4, first=0):
    ada = memory.user("ada")
    for n in range(first, first + sessions):
        ada.session(f"s{n}").add(
            *(said(f"a {colour} kite {n}") for colour in ("navy", "scarlet", "green", "red"))
        )
    memory._engine.settings.clock.tick(200)
    return ada


def pieces_are_those_of_heads(memory):
    heads = kept.heads(memory).segments
    return {record.id for record in kept.piece_records(memory)} == {
        id for head in heads for id in head.piece_ids()
    }


def test_what_means_the_same_moves_up_however_close_the_vectors_lie(backend, clock, colours):
    with connect(backend, clock=clock, embedder=colours.embedder) as memory:
        ada = memory.user("ada")
        ada.session("s").add(said("a navy kite"))
        ada.session("t").add(said("a scarlet kite"))
        assert texts(ada.recall("red kite")) == ["a scarlet kite", "a navy kite"]
        assert texts(ada.recall("blue kite")) == ["a navy kite", "a scarlet kite"]
        [first, last] = ada.recall("blue kite")
        assert {reason.kind for reason in first.why} == {"words", "vector"}
        assert {reason.kind for reason in last.why} == {"words"}
        assert sum(reason.share for reason in first.why) == pytest.approx(1, abs=0.01)


def test_vectors_are_kept_and_a_question_embeds_only_itself(backend, clock, colours):
    with connect(backend, clock=clock, embedder=colours.embedder) as memory:
        ada = tell(memory)
        assert memory.index(user="ada") == 16
        assert [head.vectors for head in kept.heads(memory).segments] == ["colours-1"]
        kept.forget_index(memory)
        colours.passages.clear()
        assert "scarlet" in ada.recall("a red kite 2", 2)[1].text
        assert colours.queries == ["a red kite 2"]
        assert colours.passages == []


def test_a_text_is_embedded_once_however_often_segments_merge(backend, clock, colours):
    with connect(backend, clock=clock, embedder=colours.embedder) as memory:
        for n in range(40):
            tell(memory, 1, n)
            with connect(backend, clock=clock, embedder=colours.embedder) as process:
                process.index(user="ada")
        assert len(colours.passages) == 160
        assert all(head.vectors == "colours-1" for head in kept.heads(memory).segments)
        assert pieces_are_those_of_heads(memory)


def test_another_name_is_another_model(backend, clock, colours):
    with connect(backend, clock=clock, embedder=colours.embedder) as memory:
        tell(memory)
        memory.index()
    other = Colours("colours-2")
    with connect(backend, clock=clock, embedder=other.embedder) as memory:
        memory.index()
        assert [head.vectors for head in kept.heads(memory).segments] == ["colours-2"]
        assert len(other.passages) == 16
        assert pieces_are_those_of_heads(memory)


def test_without_a_name_nothing_is_kept(backend, clock, colours):
    with connect(backend, clock=clock, embedder=colours.passage) as memory:
        tell(memory)
        memory.index()
        assert [head.vectors for head in kept.heads(memory).segments] == [None]
        assert colours.passages == []


def test_vectors_go_with_what_is_forgotten(backend, clock, colours):
    with connect(backend, clock=clock, embedder=colours.embedder) as memory:
        ada = tell(memory)
        memory.index()
        before = {record.id for record in kept.piece_records(memory)}
        ada.session("s1").forget(ada.session("s1").items()[0].id)
        assert not before & {record.id for record in kept.piece_records(memory)}
        memory.index()
        assert pieces_are_those_of_heads(memory)
        assert [head.vectors for head in kept.heads(memory).segments] == ["colours-1"]


def test_an_embedder_that_fails_in_the_background_is_asked_again_later(
    backend, clock, colours, caplog
):
    with connect(backend, clock=clock, embedder=colours.embedder) as memory:
        ada = tell(memory)
        colours.fails = True
        assert memory.index() == 16
        assert [head.vectors for head in kept.heads(memory).segments] == [None]
        assert "the embedder failed" in caplog.text
        assert "kite" not in caplog.text
        assert len(ada.recall("a red kite", 3)) == 3
        colours.fails = False
        memory.index()
        assert [head.vectors for head in kept.heads(memory).segments] == ["colours-1"]


@pytest.mark.parametrize(
    "answer",
    [[[1.0]], [[1.0, 2.0, float("nan")]], [[1.0, 2.0, "x"]], []],
    ids=["dimensions", "not a number", "text", "too few"],
)
def test_what_are_no_vectors_is_said_and_words_decide(backend, clock, answer, caplog):
    embedder = Embedder(name="bad", query=lambda batch: answer, dimensions=3)
    with connect(backend, clock=clock, embedder=embedder) as memory:
        ada = memory.user("ada")
        ada.session("s").add(said("a navy kite"))
        assert texts(ada.recall("kite")) == ["a navy kite"]
        assert "recall goes by words alone" in caplog.text


@pytest.mark.parametrize(
    "options",
    [{"name": ""}, {"name": 7}, {"dimensions": 0}, {"dimensions": 1.5}, {"passage": "model"}],
    ids=["no name", "number", "no dimensions", "half a dimension", "no callable"],
)
def test_an_embedder_is_checked_when_it_is_made(options):
    with pytest.raises((TypeError, ValueError)):
        Embedder(query=lambda batch: [], **options)


def test_what_is_no_embedder_is_refused():
    with pytest.raises(ConfigError, match="embedder"):
        connect("memory://", embedder="e5-small")


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_builder_that_dies_over_vectors_leaves_nothing_behind(
    backend, clock, colours, before, monkeypatch
):
    parts = lambda records: ([record] for record in records)  # noqa: E731
    monkeypatch.setattr(writer, "batches", parts)
    monkeypatch.setattr("threadkeep.longterm.recall.segments.vector_build.batches", parts)
    for commits in range(1, 40):
        user = f"ada{commits}"
        with connect(backend, clock=clock, embedder=colours.embedder) as memory:
            chat = memory.user(user).session(user)
            items = chat.add(*(said(f"a navy kite {n}") for n in range(12)))
            clock.tick(200)
            dying = Dying(backend, commits, before=before)
            with connect(dying, clock=clock, embedder=colours.embedder) as other:
                try:
                    other.index(user=user)
                    died = False
                except Cut:
                    died = True
            chat.forget(items[0].id)
            assert kept.piece_records(memory, user) == []
            clock.tick(build.ANNOUNCED_SECONDS + 1)
            memory.index(user=user)
            heads = kept.heads(memory, user).segments
            assert [head.documents for head in heads] == [11]
            assert heads[0].vectors == "colours-1"
            pieces = {record.id for record in kept.piece_records(memory, user)}
            assert pieces == set(heads[0].piece_ids())
        if not died:
            return
    raise AssertionError("it never got through")


NUMBERS = st.lists(st.integers(-10_000, 10_000).map(lambda n: n / 7), min_size=8, max_size=8)


@settings(max_examples=200)
@given(NUMBERS, NUMBERS)
def test_eight_bits_are_enough(first, second):
    exact = cosine(first, second)
    assert quantised(first).cosine(quantised(second)) == pytest.approx(exact, abs=0.03)


def cosine(first, second):
    lengths = math.hypot(*first) * math.hypot(*second)
    return sum(a * b for a, b in zip(first, second, strict=True)) / lengths if lengths else 0.0
