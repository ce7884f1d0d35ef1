"""`memory.check`: a report for readiness probes, in time whatever hangs."""

from __future__ import annotations

import asyncio
import threading

import pytest

import threadkeep
from tests.durations import within
from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import BackendError, InputError


class Hanging(MemoryBackend):
    """Waits for an event, if it has one, as a driver may that ignores every time-out."""

    def __init__(self):
        super().__init__()
        self.blocking = True
        self.wait = None

    def read(self, *queries, now):
        if self.wait is not None:
            self.wait.wait(20)
        return super().read(*queries, now=now)


@pytest.fixture
def hanging():
    backend = Hanging()
    with threadkeep.connect(backend) as memory:
        yield backend, memory
        if backend.wait is not None:
            backend.wait.set()


def checking_threads():
    return [thread for thread in threading.enumerate() if thread.name == "threadkeep-check"]


@pytest.mark.parametrize("url", ["memory://", "none://", "sqlite:///{}/chat.db", "file:{}/chats"])
def test_a_store_of_this_machine(url, tmp_path):
    with threadkeep.connect(url.format(tmp_path)) as memory:
        for report in (memory.check(), asyncio.run(memory.acheck(timeout=2))):
            assert report.ok, report
            assert report.latency is not None
            assert 0 < report.latency < 1
            assert report.error == ""
            assert report.store == memory._label
        if url.startswith("sqlite"):
            assert report.version.startswith("SQLite 3")
    closed = memory.check()
    assert (closed.ok, closed.latency) == (False, None)
    assert "closed" in closed.error


def test_no_check_outlasts_its_timeout_and_few_threads_hang(hanging):
    backend, memory = hanging
    assert memory.check().ok
    backend.wait = threading.Event()
    for n in range(8):
        with within(0.3):
            report = (
                asyncio.run(memory.acheck(timeout=0.05)) if n % 2 else memory.check(timeout=0.05)
            )
        assert not report.ok
        assert report.latency is None
        assert report.error.startswith("no answer within 0.05 s")
    assert len(checking_threads()) == 4
    backend.wait.set()
    assert memory.check().ok


def test_it_answers_while_every_thread_of_the_memory_hangs(hanging):
    backend, memory = hanging

    async def ready():
        backend.wait = threading.Event()
        reads = [asyncio.create_task(memory.session("c").aitems()) for _ in range(40)]
        await asyncio.sleep(0.01)
        with within(0.5):
            report = await memory.acheck(timeout=0.1)
        backend.wait.set()
        await asyncio.gather(*reads)
        return report

    assert not asyncio.run(ready()).ok


def test_an_error_of_the_store_is_told_and_nothing_is_raised(hanging):
    backend, memory = hanging
    backend.read = failing(BackendError("disk full: make room"))
    assert memory.check().error == "disk full: make room"
    backend.read = failing(ValueError("password hunter2"))
    assert memory.check().error == "the store raised ValueError"


def failing(error):
    def read(*queries, now):
        raise error

    return read


@pytest.mark.parametrize("wrong", [0, -1, "1", None, True, float("nan"), float("inf")])
def test_a_timeout_is_seconds(hanging, wrong):
    _, memory = hanging
    with pytest.raises(InputError, match="timeout must be seconds"):
        memory.check(timeout=wrong)
