"""Bounded in memory, few round trips, many threads, and nothing inherited by a fork."""

from __future__ import annotations

import os
import threading
import tracemalloc

import pytest

from tests.engine.doubles import Clock, Counting
from tests.longterm.recall.conftest import said, texts
from tests.longterm.recall.kept import forget_index, small_segments
from threadkeep import connect
from threadkeep.longterm.recall import query_user, sync
from threadkeep.longterm.recall.query_user import Recall


def test_importing_threadkeep_does_not_load_it(run_python):
    script = "import sys, threadkeep; print([m for m in sys.modules if 'longterm.recall' in m])"
    assert run_python(script).strip() == "[]"


@pytest.fixture
def run_python():
    import subprocess
    import sys

    def run(script):
        return subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        ).stdout

    return run


def test_a_question_costs_three_round_trips_once_the_index_is_built(opened, clock):
    counting = []

    def count(inner):
        counting.append(Counting(inner))
        return counting[0]

    memory = opened(wrap=count, clock=clock)
    ada = memory.user("ada")
    for n in range(30):
        ada.session(f"s{n}").add(said(f"kite {n}"))
    ada.recall("kite")
    counting[0].reset()
    clock.tick(86_400)
    assert len(ada.recall("kite", 5)) == 5
    assert counting[0].reads == 3, "what is new; whether facts are; the hits again"
    assert counting[0].commits == [], "recall writes nothing"


def test_of_very_many_turns_the_newest_are_found(opened, clock, monkeypatch):
    monkeypatch.setattr(sync, "MAX_DOCUMENTS", 100)
    ada = opened(clock=clock).user("ada")
    monkeypatch.setattr(
        sync.SyncedIndex.__init__,
        "__kwdefaults__",
        {"max_documents": 100, "max_read": 100, "trims": True},
    )
    for n in range(8):
        ada.session(f"s{n}").add(*(said(f"kite{n} {i}") for i in range(30)))
        clock.tick(100)
    assert texts(ada.recall("kite7", 1))
    assert ada.recall("kite0") == []
    assert not ada.recall("kite7").complete
    for n in range(30):
        ada.session("on and on").add(said(f"later{n}"))
        clock.tick(1)
        assert ada.recall(f"later{n}", 1)
    index = ada._engine.component(Recall)._indexes_by_user["ada"][0].index
    assert index.live_count <= 150


@pytest.fixture
def in_front(opened, clock):
    """A memory in which nothing is done in the background."""
    memory = opened(clock=clock)
    memory._engine.write_counts = None
    return memory


def _loaded(memory):
    return memory._engine.component(Recall)._indexes_by_user["ada"][0].index.live_count


def test_a_question_reads_no_more_than_its_share_and_the_next_reads_on(
    opened, in_front, clock, reads_thirty, caplog
):
    memory, ada = in_front, in_front.user("ada")
    for n in range(50):
        ada.session(f"s{n}").add(said(f"kite{n}"), said(f"string{n}"))
        clock.tick(100)
    clock.tick(86_400)
    first = ada.recall("kite49")
    assert texts(first[:1]) == ["kite49"]
    assert not first.complete
    assert 20 <= _loaded(memory) <= 40
    assert "older items not read yet" in first._repr_html_()
    assert "searched the newest" in caplog.text
    questions = [ada.recall("kite0") for _ in range(4)]
    assert [answer.complete for answer in questions] == [False, False, True, True]
    assert texts(questions[-1][:1]) == ["kite0"]
    assert len(caplog.records) == 1, "it is logged once"
    anew = opened(clock=clock).user("ada")
    assert anew.recall("kite0") == [], "another process begins anew"


def test_long_sessions_are_read_one_at_a_time(in_front, clock, reads_thirty):
    memory, ada = in_front, in_front.user("ada")
    for n in range(40):
        ada.session(f"s{n}").add(*(said(f"kite{n} {i}") for i in range(20)))
        clock.tick(100)
    ada.recall("kite")
    assert _loaded(memory) <= 8 * 20, "eight sessions are read before their length is known"
    before = _loaded(memory)
    ada.recall("kite")
    assert _loaded(memory) - before <= 60


def test_the_kept_index_makes_all_of_it_found(in_front, clock, reads_thirty, monkeypatch):
    small_segments(monkeypatch)
    memory, ada = in_front, in_front.user("ada")
    for n in range(50):
        ada.session(f"s{n}").add(said(f"kite{n}"), said(f"string{n}"))
        clock.tick(100)
    assert not ada.recall("kite0").complete
    assert memory.index() == 100
    forget_index(memory)
    answer = ada.recall("kite0")
    assert (texts(answer[:1]), answer.complete) == (["kite0"], True)


def test_what_an_index_takes_is_about_what_python_says(opened):
    memory = opened()
    user = memory.user("ada")
    for n in range(20):
        user.session(f"s{n}").add(*(said(f"kite{n} {i} of {i * n}") for i in range(50)))
    user.recall("warm up")
    memory._engine.component(Recall).forget_user("ada")
    tracemalloc.start()
    user.recall("kite7")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    told = memory._engine.component(Recall)._indexes_by_user["ada"][0].nbytes
    assert 0.5 * held < told < 2 * held


def test_the_users_asked_longest_ago_are_dropped(opened, monkeypatch):
    memory = opened()
    recall = memory._engine.component(Recall)
    for n in range(6):
        user = memory.user(f"user {n}")
        user.session(f"s{n}").add(*(said(f"kite {i}") for i in range(10)))
        assert len(user.recall("kite")) == 10
        recall._max_bytes = int(2.5 * recall._indexes_by_user[user.id][0].nbytes)
    assert list(recall._indexes_by_user) == ["user 4", "user 5"]
    assert len(memory.user("user 0").recall("kite")) == 10


def test_text_is_not_kept(ada):
    ada.session("s").add(said("a kite with an unmistakablelongword inside of a sentence"))
    ada.recall("kite")
    index = ada._engine.component(Recall)._indexes_by_user["ada"][0].index
    assert "sentence" not in str(vars(index)).replace("sentenc'", "")


def test_threads_ask_and_write_at_once(opened):
    memory = opened()
    faults = []

    def work(n):
        try:
            user = memory.user(f"user {n % 2}")
            chat = user.session(f"s{n}")
            for i in range(15):
                chat.add(said(f"kite {n} {i}"))
                found = user.recall(f"kite {n}", 50, session=f"s{n}")
                assert len(found) == i + 1
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_a_closed_memory_lets_go_of_everything(backend):
    memory = connect(backend, clock=Clock())
    memory.user("ada").session("s").add(said("kite"))
    memory.user("ada").recall("kite")
    recall = memory._engine.component(Recall)
    memory.close()
    assert not recall._indexes_by_user


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_begins_with_nothing(tmp_path):
    memory = connect(f"sqlite:///{tmp_path}/chat.db")
    ada = memory.user("ada")
    ada.session("s").add(said("kite"))
    ada.recall("kite")
    _, lock = memory._engine.component(Recall)._index_of("ada")
    with lock:  # as if another thread were asking right now
        child = os.fork()
        if child == 0:
            os._exit(0 if texts(ada.recall("kite")) == ["kite"] else 1)
        assert os.waitpid(child, 0)[1] == 0
    memory.close()


def test_asked_for_is_checked_against_a_limit():
    assert query_user.MAX_HITS == 1_000
