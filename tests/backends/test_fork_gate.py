"""The gate that keeps forks apart from threads inside libraries."""

import os
import threading
import time

import pytest

from tests.durations import within
from threadkeep.backends.common import fork_gate

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),  # on purpose among threads
]


def fork_and_wait(work=lambda: None):
    if (pid := os.fork()) == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def run_inside(leave):
    """A thread that stays inside until the event."""
    entered = threading.Event()

    def stay():
        with fork_gate.no_fork():
            entered.set()
            leave.wait(20)

    thread = threading.Thread(target=stay)
    thread.start()
    assert entered.wait(20)
    return thread


def enter():
    with fork_gate.no_fork():
        pass


def test_a_fork_waits_for_who_is_inside():
    leave = threading.Event()
    thread = run_inside(leave)
    threading.Timer(0.1, leave.set).start()
    fork_and_wait()
    assert leave.is_set(), "forked while a thread was inside"
    thread.join()


def test_a_fork_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr(fork_gate, "MAX_WAIT", 0.1)
    leave = threading.Event()
    thread = run_inside(leave)
    fork_and_wait(enter)
    assert thread.is_alive()
    leave.set()
    thread.join()


def test_a_thread_inside_may_fork_itself(monkeypatch):
    monkeypatch.setattr(fork_gate, "MAX_WAIT", 20)
    with within(10), fork_gate.no_fork(), fork_gate.no_fork():
        fork_and_wait(enter)
    fork_and_wait(enter)


@pytest.mark.skipif(not fork_gate._TASKS.exists(), reason="no way to see that a thread is gone")
def test_a_fork_waits_until_an_ending_thread_is_gone(monkeypatch):
    monkeypatch.setattr(fork_gate, "MAX_WAIT", 20)
    ending, gone = threading.Event(), []

    def end_slowly():
        fork_gate.thread_ends()
        ending.set()
        time.sleep(0.1)
        gone.append(True)

    threading.Thread(target=end_slowly).start()
    assert ending.wait(20)
    fork_and_wait()
    assert gone, "forked while a thread was ending"


def test_who_comes_during_a_fork_goes_on_after_it():
    entered = threading.Event()

    def enter_and_tell():
        enter()
        entered.set()

    fork_gate.shut()
    try:
        thread = threading.Thread(target=enter_and_tell)
        thread.start()
        assert not entered.wait(0.05)
    finally:
        fork_gate.reopen()
    assert entered.wait(20)
    thread.join()
