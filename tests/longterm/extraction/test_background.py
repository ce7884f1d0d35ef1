"""Learning while people talk: when it begins, that it holds nobody up, and how it ends."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.durations import within
from tests.longterm.extraction.conftest import answer, asked, fact
from threadkeep import connect
from threadkeep.longterm.extraction.report import Report

NUTS = answer(fact("Ada is allergic to nuts", 1))


@pytest.fixture
def in_background():
    """Here the thread is what is tested."""


@pytest.fixture(params=["memory"])
def backend(request):
    """What is tested here does not depend on the store."""
    from threadkeep.backends.memory import MemoryBackend

    made = MemoryBackend()
    yield made
    made.close()


def learners():
    return [one for one in threading.enumerate() if one.name == "threadkeep learner"]


class Thinking:
    """A model that begins to answer, and goes on when it is told to."""

    def __init__(self, says):
        self.says = says
        self.entered, self.go_on = threading.Event(), threading.Event()

    def __call__(self, request):
        self.entered.set()
        self.go_on.wait(30)
        return self.says


def wait_for(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_no_thread_is_born_before_something_is_said(learning):
    before = len(learners())
    memory, _ = learning([NUTS])
    memory.session("chat", user="ada").items()
    assert len(learners()) == before
    memory.session("chat", user="ada").add("Hello")
    assert len(learners()) == before + 1
    memory.close()
    assert len(learners()) == before


def test_a_session_is_read_after_so_many_turns(learning):
    memory, model = learning(lambda request: answer(), llm={"every": 4})
    chat = memory.session("chat", user="ada")
    chat.add("one", {"role": "assistant", "content": "two"}, "three")
    assert not wait_for(lambda: model.requests, 0.3)
    chat.add({"role": "assistant", "content": "four"})
    assert wait_for(lambda: model.requests)
    assert len(asked(model.requests[0])["messages"]) == 4


def test_a_session_is_read_when_nothing_was_said_for_a_while(learning):
    memory, _ = learning([NUTS], llm={"idle": 0.1})
    memory.session("chat", user="ada").add("I'm allergic to nuts.")
    assert wait_for(lambda: memory.user("ada").facts.list())


def test_a_request_to_remember_works_on_the_very_first_message(learning):
    memory, _ = learning([answer()])
    memory.session("chat", user="ada").add("Please remember that my sister is called Anna.")
    assert wait_for(lambda: memory.user("ada").facts.list())
    (known,) = memory.user("ada").facts.list()
    assert known.text == "The user asked to remember: my sister is called Anna"


def test_a_request_to_forget_works_at_once_too(learning):
    memory, _ = learning([answer()])
    ada = memory.user("ada")
    ada.facts.add("Ada is allergic to nuts")
    ada.facts.add("Ada keeps a cat")
    ada.session("chat").add("Please forget that I'm allergic to nuts.")
    assert wait_for(lambda: len(ada.facts.list(status=None)) == 1)
    assert ada.facts.list()[0].text == "Ada keeps a cat"


def test_flush_waits_until_everything_said_was_read(learning):
    def reply(request):
        time.sleep(0.2)
        return NUTS

    memory, model = learning(reply)
    for id in ("a", "b", "c"):
        memory.session(id, user="ada").add("I'm allergic to nuts.")
    assert memory.flush(timeout=60)
    assert len(model.requests) == 3
    assert memory.user("ada").facts.list()[0].seen == 3
    assert memory.extract().batches == 0


def test_flush_says_so_when_time_is_up(learning):
    go_on = threading.Event()
    memory, _ = learning(lambda request: go_on.wait(20) and NUTS)
    memory.session("chat", user="ada").add("I'm allergic to nuts.")
    assert not memory.flush(timeout=0.05)
    go_on.set()
    assert asyncio.run(memory.aflush(timeout=60))


def test_flush_says_so_when_the_model_failed(learning):
    memory, _ = learning([500])
    memory.session("chat", user="ada").add("I'm allergic to nuts.")
    assert not memory.flush(timeout=60)


def test_process_has_a_twin(learning):
    memory, _ = learning([NUTS])
    memory.session("chat", user="ada").add("I'm allergic to nuts.")
    assert asyncio.run(memory.aextract(user="ada")).facts == 1


def test_without_a_model_there_is_nothing_to_wait_for(opened):
    memory = opened()
    memory.session("chat", user="ada").add("Hello")
    assert memory.flush()
    assert asyncio.run(memory.aflush())


def test_without_a_model_nothing_is_learned_and_nothing_is_marked_as_read(opened, learning):
    memory = opened()
    memory.session("chat", user="ada").add("I'm allergic to nuts.")
    assert memory.extract() == Report()
    assert memory.extract(user="ada", session="chat", retry=True) == Report()
    assert asyncio.run(memory.aextract()) == Report()
    assert learning([NUTS])[0].extract().facts == 1


def test_adding_waits_for_no_model(learning):
    thinking = Thinking(answer())
    memory, _ = learning(thinking, llm={"every": 1})
    chat = memory.session("chat", user="ada")
    chat.add("one")
    assert thinking.entered.wait(20)
    for n in range(50):
        chat.add(f"message {n}")  # the model answers when all of these are stored
    assert len(chat.items()) == 51
    thinking.go_on.set()


def test_close_returns_within_a_second_although_the_model_thinks(learning):
    thinking = Thinking(NUTS)
    memory, _ = learning(thinking, llm={"every": 1})
    memory.session("chat", user="ada").add("one")
    assert thinking.entered.wait(20)
    with within(5):
        memory.close()
    thinking.go_on.set()
    assert wait_for(lambda: not learners())


def test_process_waits_for_what_the_thread_is_reading(learning):
    thinking = Thinking(NUTS)
    memory, model = learning(thinking, llm={"every": 1})
    memory.session("chat", user="ada").add("I'm allergic to nuts.")
    assert thinking.entered.wait(20)
    with ThreadPoolExecutor(1) as pool:
        asked_for = pool.submit(memory.extract)
        memory.session("other", user="bob")  # whoever reads another session does not wait
        assert memory.extract(user="bob").busy == 0
        assert not asked_for.done()
        thinking.go_on.set()
        assert asked_for.result(20).busy == 0
    assert len(memory.user("ada").facts.list()) == 1
    assert len(model.requests) == 1


def test_a_model_that_asks_for_its_own_session_is_told_that_it_is_busy(opened):
    reports = []

    def model(messages):
        reports.append(memory.extract())
        return NUTS

    memory = opened(llm={"call": model, "idle": 3_600})
    memory.session("chat", user="ada").add("I'm allergic to nuts.")
    assert memory.extract().facts == 1
    assert [report.busy for report in reports] == [1]


def test_process_takes_one_user_or_one_session(learning):
    memory, model = learning(lambda request: answer())
    for user in ("ada", "bob"):
        for n in range(2):
            memory.session(f"{user} {n}", user=user).add("Hello")
    assert memory.extract(session="ada 0").sessions == 1
    assert memory.extract(user="ada").sessions == 1
    assert memory.extract().sessions == 2
    assert len(model.requests) == 4


def test_what_another_process_said_is_found_by_process(learning, opened, backend):
    quiet = opened()
    quiet.session("chat", user="ada").add("I'm allergic to nuts.")
    memory, _ = learning([NUTS])
    assert memory.extract().facts == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_has_a_thread_of_its_own(tmp_path, serve):
    model = serve(lambda request: NUTS)
    llm = {"model": "m", "api_key": "none", "base_url": model.base_url, "idle": 3_600}
    with connect(f"sqlite:///{tmp_path}/chat.db", llm=llm) as memory:
        memory.session("parent", user="ada").add("I'm allergic to nuts.")
        pid = os.fork()
        if pid == 0:
            try:
                memory.session("child", user="bob").add("I'm allergic to nuts.")
                fine = memory.flush(timeout=60) and len(memory.user("bob").facts.list()) == 1
                os._exit(0 if fine else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert memory.user("ada").facts.list() == []  # that is the parent's to read
        assert memory.flush(timeout=60)
        assert len(memory.user("ada").facts.list()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_does_not_wait_for_a_thread_of_its_parent(tmp_path):
    thinking = Thinking(NUTS)
    with connect(f"sqlite:///{tmp_path}/chat.db", llm={"call": thinking, "every": 1}) as memory:
        memory.session("chat", user="ada").add("I'm allergic to nuts.")
        assert thinking.entered.wait(20)
        pid = os.fork()
        if pid == 0:
            try:
                os._exit(0 if memory.extract().busy == 1 else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        thinking.go_on.set()
        assert memory.flush(timeout=60)
        assert len(memory.user("ada").facts.list()) == 1


def test_retention_waits_for_what_was_not_read(learning):
    memory, _ = learning(lambda request: answer(), retain={"max_messages": 2})
    chat = memory.session("chat", user="ada")
    talk(chat, 5)
    assert len(chat.items()) == 10  # nothing of it was read
    memory.extract()
    talk(chat, 1)
    assert len(chat.items()) == 2


def test_retention_waits_no_longer_than_ten_times_the_policy(learning):
    memory, _ = learning([], retain={"max_messages": 2})
    chat = memory.session("chat", user="ada")
    talk(chat, 60)
    assert 10 < len(chat.items()) <= 2 * 10 + 16


def talk(chat, exchanges):
    for n in range(exchanges):
        chat.add(f"question {n}")
        chat.add({"role": "assistant", "content": f"reply {n}"})
