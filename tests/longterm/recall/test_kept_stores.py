"""The kept index on every store: a builder that is killed, damage, and what is forgotten."""

from __future__ import annotations

import multiprocessing
import os
import signal

import pytest

from tests.backends.conftest import MARKS, REQUIRED, STORES
from tests.engine.doubles import Clock, Wrapper
from tests.longterm.recall import kept
from tests.longterm.recall.conftest import said, texts
from threadkeep import Embedder, connect
from threadkeep.longterm.recall.segments import build, writer
from threadkeep.sessions import recall_segments

SECRET = "zanzibar"
ITEMS = 21
QUESTIONS = ("kite2", "kites", SECRET, "Kitesurfen")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    kept.small_segments(monkeypatch)


@pytest.fixture(params=[pytest.param(name, marks=MARKS.get(name, [])) for name in STORES])
def store(request, tmp_path):
    try:
        return STORES[request.param](tmp_path)
    except pytest.skip.Exception as skipped:
        if request.param in REQUIRED:
            pytest.fail(f"{request.param} was promised by THREADKEEP_TEST_REQUIRE: {skipped}")
        raise


@pytest.fixture
def opened(store):
    """The store, open, which the test may hand over to a process of its own."""
    made = store.open()
    yield made
    made.close()


def told(memory):
    """A user of four sessions; the secret is in one of them, and its item is given back."""
    memory._engine.write_counts = None  # nothing in the background
    ada = memory.user("ada")
    for n in range(4):
        ada.session(f"ada {n}").add(*(said(f"kite{n} number {i}") for i in range(5)))
    [item] = ada.session("ada 2").add(said(f"I am from {SECRET}."))
    memory._engine.settings.clock.tick(200)
    return ada, item


class Killed(Wrapper):
    """A store at which the process is killed right before its n-th commit."""

    def __init__(self, inner, commits):
        super().__init__(inner)
        self.commits = commits

    def commit(self, stream, **how):
        self.commits -= 1
        if self.commits == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.inner.commit(stream, **how)


def die_while_building(reopen, commits):
    """What a process does that is killed right before a commit of its build."""
    with pytest.MonkeyPatch.context() as patched:
        kept.small_segments(patched)
        patched.setattr(writer, "batches", lambda records: ([record] for record in records))
        connect(Killed(reopen(), commits)).index(user="ada")


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.proves("D15")
def test_a_builder_that_is_killed_leaves_an_index_that_is_right(store, opened):
    if store.reopen is None:
        pytest.skip("a store of one process")
    clock = Clock()
    with connect(opened, clock=clock) as memory:
        ada, item = told(memory)
        spawn = multiprocessing.get_context("spawn")
        process = spawn.Process(target=die_while_building, args=(store.reopen, 3))
        process.start()
        process.join(120)
        assert process.exitcode == -signal.SIGKILL
        assert [head.complete for head in kept.heads(memory).segments] == [False]
        for question in QUESTIONS:
            kept.forget_index(memory)
            assert kept.found(ada, question) == kept.found_anew(memory, question)
        clock.tick(build.ANNOUNCED_SECONDS + 1)
        ada.session("ada 2").forget(item.id)
        assert SECRET not in kept.kept_text(memory)
        assert memory.index(user="ada") == ITEMS - 1
        heads = kept.heads(memory).segments
        assert all(head.complete for head in heads)
        piece_ids = {id for head in heads for id in head.piece_ids()}
        assert {record.id for record in kept.piece_records(memory)} == piece_ids


def test_a_damaged_segment_is_said_and_built_anew(opened, caplog):
    with connect(opened, clock=Clock()) as memory:
        ada, _ = told(memory)
        assert memory.index(user="ada") == ITEMS
        stream = recall_segments.stream(memory._engine, "ada")
        for record in kept.piece_records(memory):
            bad = type(record)(record.kind, record.id, '"AAAA"', record.at)
            memory._engine.commit(stream, put=[bad], ttl=None)
        kept.forget_index(memory)
        for question in QUESTIONS:
            assert kept.found(ada, question) == kept.found_anew(memory, question)
        assert "kept index are damaged" in caplog.text
        assert SECRET not in caplog.text
        memory.index(user="ada")
        assert sum(head.documents for head in kept.heads(memory).segments) == ITEMS
        assert SECRET in kept.kept_text(memory)
        assert all(record.body != '"AAAA"' for record in kept.piece_records(memory))


def embed(batch):
    return [[1.0, float("kite" in text), float(SECRET in text)] for text in batch]


def test_no_vector_and_no_word_is_left_of_what_is_forgotten(opened):
    embedder = Embedder(name="three", query=embed, passage=embed, dimensions=3)
    with connect(opened, clock=Clock(), embedder=embedder) as memory:
        ada, item = told(memory)
        memory.index(user="ada")
        before = {record.id for record in kept.piece_records(memory)}
        assert [head.vectors for head in kept.heads(memory).segments] == ["three"]
        ada.session("ada 2").forget(item.id)
        assert not before & {record.id for record in kept.piece_records(memory)}
        memory.index(user="ada")
        [head] = kept.heads(memory).segments
        assert (head.vectors, head.documents) == ("three", ITEMS - 1)
        assert {record.id for record in kept.piece_records(memory)} == set(head.piece_ids())
        assert SECRET not in "".join(texts(ada.recall(SECRET)))
