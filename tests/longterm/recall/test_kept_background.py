"""The kept index grows in the background, after writes and questions, and at the end."""

from __future__ import annotations

import os
import threading

import pytest

from tests.longterm.recall import kept
from tests.longterm.recall.conftest import said
from threadkeep import connect
from threadkeep.core import write_counts
from threadkeep.longterm.recall.segments.keep import IndexKeeper

PATIENCE = 20


@pytest.fixture(autouse=True)
def small(monkeypatch):
    kept.small_segments(monkeypatch)
    monkeypatch.setattr(write_counts, "FIRST", 10)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'chat.db'}"


def tell(memory, items, session="s"):
    memory.user("ada").session(session).add(*(said(f"kite {n} of {session}") for n in range(items)))


def documents(memory):
    return sum(head.documents for head in kept.heads(memory).segments)


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "threadkeep index"]


def test_after_writes(url):
    with connect(url) as memory:
        tell(memory, 9)
        assert not threads()
        tell(memory, 3, "t")
        assert memory._engine.component(IndexKeeper).wait(PATIENCE)
        assert documents(memory) == 12
        tell(memory, 4, "u")
        assert memory._engine.component(IndexKeeper).wait(PATIENCE)
        assert documents(memory) == 16
    assert not threads()


def test_after_a_question_about_what_others_wrote(url):
    with connect(url) as writer:
        writer._engine.write_counts = None
        tell(writer, 12)
    with connect(url) as memory:
        assert memory.user("ada").recall("kite", k=3)
        assert memory._engine.component(IndexKeeper).wait(PATIENCE)
        assert documents(memory) == 12


def test_closing_waits_for_what_is_due(url):
    with connect(url) as memory:
        tell(memory, 12)
    with connect(url) as memory:
        assert documents(memory) == 12


def test_at_the_end_where_no_thread_may_run(url, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    with connect(url) as memory:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            tell(memory, 12)
        assert documents(memory) == 0
    with connect(url) as memory:
        assert documents(memory) == 12


def test_nothing_is_kept_behind_the_back_of_a_store_in_memory_or_with_retention(url):
    with connect("memory://") as memory, connect(url, retain={"max_messages": 100}) as other:
        for each in (memory, other):
            tell(each, 20)
            assert each.user("ada").recall("kite", k=3)
            assert documents(each) == 0
    assert not threads()


def test_a_failure_is_logged_and_disturbs_nobody(url, monkeypatch, caplog):
    monkeypatch.setattr(IndexKeeper, "keep", lambda keeper, user: 1 / 0)
    with connect(url) as memory:
        tell(memory, 12)
        assert memory._engine.component(IndexKeeper).wait(PATIENCE)
    assert "keeping an index failed (ZeroDivisionError)" in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_keeps_for_itself(url):
    with connect(url) as memory:
        tell(memory, 12)
        assert memory._engine.component(IndexKeeper).wait(PATIENCE)
        child = os.fork()
        if child == 0:
            tell(memory, 8, "child")
            done = memory._engine.component(IndexKeeper).wait(PATIENCE)
            os._exit(0 if done and documents(memory) == 20 else 1)
        assert os.waitpid(child, 0)[1] == 0
