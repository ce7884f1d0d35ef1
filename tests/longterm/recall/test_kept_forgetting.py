"""What is forgotten, edited or over is in no segment, on every store; crashes leave nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from tests.backends.conftest import MARKS, REQUIRED, STORES
from tests.backends.test_crash_points import Cut, Dying
from tests.engine.doubles import Clock, Wrapper
from tests.longterm.recall import kept
from tests.longterm.recall.conftest import said, texts
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.longterm.recall.segments import build, writer
from threadkeep.policies import max_messages
from threadkeep.sessions import recall_segments

SECRET = "zanzibar"
VERBS = {
    "replace": lambda chat, item: chat.replace(item.id, "nothing of the kind"),
    "add under the same id": lambda chat, item: chat.add({"id": item.id, **said("another")}),
    "rewind": lambda chat, item: chat.rewind(before=item.id),
    "remove": lambda chat, item: chat.remove(item.id),
    "forget": lambda chat, item: chat.forget(item.id),
    "clear": lambda chat, item: chat.clear(),
    "set_items": lambda chat, item: chat.set_items("a new beginning"),
    "delete": lambda chat, item: chat.delete(),
}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    kept.small_segments(monkeypatch)


@pytest.fixture(params=[pytest.param(name, marks=MARKS.get(name, [])) for name in STORES])
def store(request, tmp_path):
    try:
        made = STORES[request.param](tmp_path).open()
    except pytest.skip.Exception as skipped:
        if request.param in REQUIRED:
            pytest.fail(f"{request.param} was promised by THREADKEEP_TEST_REQUIRE: {skipped}")
        raise
    yield made
    made.close()


def told(memory, user):
    """A user of four sessions; the secret is in one of them, and its item is given back."""
    memory._engine.write_counts = None  # nothing in the background
    ada = memory.user(user)
    for n in range(4):
        ada.session(f"{user} {n}").add(*(said(f"kite{n} number {i}") for i in range(5)))
    [item] = ada.session(f"{user} 2").add(said(f"I am from {SECRET}."))
    memory._engine.settings.clock.tick(200)
    return ada, ada.session(f"{user} 2"), item


@pytest.mark.proves("D15")
def test_no_word_is_left_in_a_segment_whatever_takes_it_back(store):
    with connect(store, clock=Clock()) as memory:
        for name, take_back in VERBS.items():
            ada, chat, item = told(memory, name)
            assert memory.index(user=name) == 21
            assert SECRET in kept.kept_text(memory, name)
            take_back(chat, item)
            assert SECRET not in kept.kept_text(memory, name), name
            kept.forget_index(memory, name)
            assert SECRET not in "".join(texts(ada.recall(SECRET))), name
            assert len(ada.recall("kite3", k=5, session=f"{name} 3")) == 5, name
            memory.index(user=name)
            assert SECRET not in kept.kept_text(memory, name), name
            assert kept.heads(memory, name).gaps == []


def test_nothing_is_left_of_a_user_who_is_forgotten(store):
    with connect(store, clock=Clock()) as memory:
        ada, _, _ = told(memory, "ada")
        memory.index()
        ada.forget(purge=False)
        assert kept.heads(memory) == recall_segments.Heads(0, [], [], [])
        assert kept.piece_records(memory) == []


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def backend():
    made = MemoryBackend()
    yield made
    made.close()


def test_retention_takes_words_out_of_segments(backend, clock):
    with connect(backend, clock=clock, retain=[max_messages(3)]) as memory:
        _, chat, _ = told(memory, "ada")
        memory.index(user="ada")
        assert SECRET in kept.kept_text(memory)
        for n in range(3):
            chat.add(said(f"later {n}"), said("yes", role="assistant"))
        assert SECRET not in kept.kept_text(memory)


def test_words_expire_with_the_session_they_were_said_in(backend, clock):
    with connect(backend, clock=clock, ttl=10_000) as memory:
        ada, _, _ = told(memory, "ada")
        memory.index(user="ada")
        clock.tick(5_000)
        ada.session("ada 3").add(said("kite3 again"))
        clock.tick(6_000)
        assert kept.piece_records(memory) == []
        kept.forget_index(memory)
        assert len(ada.recall("kite3", k=10)) == 6
        assert texts(ada.recall(SECRET)) == []
        memory.index(user="ada")
        assert SECRET not in kept.kept_text(memory)
        assert len(ada.recall("kite3", k=10)) == 6


@pytest.fixture
def in_parts(monkeypatch):
    """A segment takes a commit for each of its records."""
    monkeypatch.setattr(writer, "batches", lambda records: ([record] for record in records))


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("forgets", [True, False], ids=["forgets", "goes on"])
def test_a_builder_that_dies_at_any_commit_leaves_nothing_behind(
    backend, clock, in_parts, before, forgets
):
    for commits in range(1, 30):
        user = f"ada{commits}{before}{forgets}"
        with connect(backend, clock=clock) as memory:
            ada, chat, item = told(memory, user)
            dying = Dying(backend, commits, before=before)
            with connect(dying, clock=clock) as other:
                try:
                    other.index(user=user)
                    died = False
                except Cut:
                    died = True
            if forgets:
                chat.forget(item.id)
                assert SECRET not in kept.kept_text(memory, user)
            assert len(ada.recall("kite2", k=5)) == 5
            clock.tick(build.ANNOUNCED_SECONDS + 1)
            memory.index(user=user)
            heads = kept.heads(memory, user)
            assert sum(head.documents for head in heads.segments) == 21 - forgets
            pieces = {id for head in heads.segments for id in head.piece_ids()}
            assert {record.id for record in kept.piece_records(memory, user)} == pieces
        if not died:
            return
    raise AssertionError("it never got through")


@pytest.mark.parametrize("number", range(6))
def test_a_damaged_piece_is_said_and_built_anew(backend, clock, caplog, number):
    with connect(backend, clock=clock) as memory:
        ada, _, _ = told(memory, "ada")
        memory.index(user="ada")
        records = kept.piece_records(memory)
        wrong, other = records[number % len(records)], records[(number + 1) % len(records)]
        stream = recall_segments.stream(memory._engine, "ada")
        bodies = (
            other.body,
            '"AAAA"',
            "{}",
            "not JSON",
            wrong.body[:-9] + '"',
            '"' + "A" * 99 + '"',
        )
        body = bodies[number % len(bodies)]
        bad = type(wrong)(wrong.kind, wrong.id, body, wrong.at)
        memory._engine.commit(stream, put=[bad], ttl=None)
        kept.forget_index(memory)
        for question in ("kite2", "kites", SECRET, "Kitesurfen"):
            assert kept.found(ada, question) == kept.found_anew(memory, question)
        memory.index(user="ada")
        assert sum(head.documents for head in kept.heads(memory).segments) == 21
        assert SECRET not in caplog.text
        for record in kept.piece_records(memory):
            assert record.body != body


def test_damage_is_said_without_a_word_of_what_was_said(backend, clock, caplog):
    with connect(backend, clock=clock) as memory:
        ada, _, _ = told(memory, "ada")
        memory.index(user="ada")
        stream = recall_segments.stream(memory._engine, "ada")
        for record in kept.piece_records(memory):
            bad = type(record)(record.kind, record.id, "?", record.at)
            memory._engine.commit(stream, put=[bad], ttl=None)
        kept.forget_index(memory)
        assert len(ada.recall("kite2")) > 0
        assert "kept index are damaged" in caplog.text
        assert "kite" not in caplog.text


class Meeting(Wrapper):
    """A store at which somebody else acts right before a builder's n-th commit."""

    def __init__(self, inner, commits, act):
        super().__init__(inner)
        self.commits, self.act = commits, act

    def commit(self, stream, **how):
        self.commits -= 1
        if self.commits == 0:
            self.act()
        return self.inner.commit(stream, **how)


@pytest.mark.parametrize("act", ["build", "forget", "end"])
def test_builders_and_those_who_forget_may_meet(backend, clock, in_parts, act):
    for commits in range(1, 12):
        user = f"{act}{commits}"
        with connect(backend, clock=clock) as memory:
            ada, chat, item = told(memory, user)
            acts = {
                "build": lambda: memory.index(user=user),  # noqa: B023
                "forget": lambda: chat.forget(item.id),  # noqa: B023
                "end": lambda: ada.forget(purge=False),  # noqa: B023
            }
            meeting = Meeting(backend, commits, acts[act])
            with connect(meeting, clock=clock) as other:
                other.index(user=user)
            if meeting.commits > 0:
                return
            if act != "build":
                assert SECRET not in kept.kept_text(memory, user), commits
            kept.forget_index(memory, user)
            hits = [text for text in texts(ada.recall("kite2", k=20)) if "kite2" in text]
            assert len(hits) == len(set(hits)) == (0 if act == "end" else 5)
            clock.tick(build.ANNOUNCED_SECONDS + 1)
            memory.index(user=user)
            kept_documents = [head.documents for head in kept.heads(memory, user).segments]
            assert sum(kept_documents) == {"build": 21, "forget": 20, "end": 0}[act]


SCRIPT = """
import os, signal, sys
import threadkeep
from threadkeep.longterm.recall import sync
from threadkeep.longterm.recall.segments import segment_plan, writer
segment_plan.LEVELS, segment_plan.MIN_ITEMS = (4, 16, 64, 256), 4
writer.batches = lambda records: ([record] for record in records)
memory = threadkeep.connect("sqlite:///" + sys.argv[1])
commit, left = memory._engine.commit, int(sys.argv[2])
def counted(*args, **kwargs):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return commit(*args, **kwargs)
memory._engine.commit = counted
memory.index(user="ada")
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("commits", [2, 3])
def test_kill_in_the_middle_of_a_build(tmp_path, commits):
    path = tmp_path / "chat.db"
    clock = Clock()
    with connect(f"sqlite:///{path}", clock=clock) as memory:
        told(memory, "ada")
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(path), str(commits)]
    died = subprocess.run(command, capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    with connect(f"sqlite:///{path}", clock=clock) as memory:
        memory._engine.write_counts = None  # nothing in the background
        ada = memory.user("ada")
        assert not any(head.complete for head in kept.heads(memory).segments)
        assert len(ada.recall("kite2", k=5)) == 5
        [item] = ada.session("ada 2").items(last=1)
        ada.session("ada 2").forget(item.id)
        assert SECRET not in kept.kept_text(memory)
        assert memory.index(user="ada") == 20
