"""A process that forks: parent and child go on with the same Memory."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import traceback

import pytest

from threadkeep import connect
from threadkeep.adapters import shared

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
    # the tests fork on purpose, with threads about
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def forked(work):
    """Runs `work` in a child; its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.alarm(20)
        work()
        code = 0
    except BaseException:
        traceback.print_exc(file=sys.stderr)
    finally:
        os._exit(code)


def ended_well(*pids):
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids] == [0] * len(pids)


def write(chat, who, count=10):
    for n in range(count):
        chat.add(f"{who} {n} a", f"{who} {n} b")


async def awrite(chat, who, count=10):
    for n in range(count):
        await chat.aadd(f"{who} {n} a", f"{who} {n} b")


def check(chat, *writers, count=10):
    texts = [item.content for item in chat.items()]
    assert len(texts) == 2 * count * len(writers)
    for who in writers:
        mine = [text for text in texts if text.startswith(f"{who} ")]
        assert mine == [f"{who} {n} {part}" for n in range(count) for part in "ab"]


@pytest.mark.proves("C2")
def test_parent_and_child_write_to_one_session(tmp_path):
    with connect(tmp_path / "chat.db") as memory:
        chat = memory.session("chat", user="ada")
        write(chat, "before")
        pids = [forked(lambda who=who: write(chat, who)) for who in ("one", "two")]
        write(chat, "parent")
        assert ended_well(*pids)
        check(chat, "before", "parent", "one", "two")


@pytest.mark.proves("C6")
def test_async_too_after_threads_were_in_use(tmp_path):
    with connect(tmp_path / "chat.db") as memory:
        chat = memory.session("chat", user="ada")
        asyncio.run(awrite(chat, "before"))
        pid = forked(lambda: asyncio.run(awrite(chat, "child")))
        asyncio.run(awrite(chat, "parent"))
        assert ended_well(pid)
        check(chat, "before", "parent", "child")


def test_a_child_that_closes_closes_nothing_of_its_parent(tmp_path):
    with connect(tmp_path / "chat.db") as memory:
        chat = memory.session("chat", user="ada")
        write(chat, "before")

        def child():
            write(chat, "child")
            memory.close()

        assert ended_well(forked(child))
        write(chat, "parent")
        check(chat, "before", "child", "parent")


def test_a_grandchild(tmp_path):
    with connect(tmp_path / "chat.db") as memory:
        chat = memory.session("chat", user="ada")

        def child():
            write(chat, "child")
            assert ended_well(forked(lambda: write(chat, "grandchild")))

        assert ended_well(forked(child))
        check(chat, "child", "grandchild")


def test_in_memory_a_child_goes_on_with_a_copy():
    with connect("memory://") as memory:
        chat = memory.session("chat", user="ada")
        write(chat, "before")

        def child():
            write(chat, "child")
            check(chat, "before", "child")

        assert ended_well(forked(child))
        check(chat, "before")


def test_child_opens_a_shared_memory_while_a_thread_of_its_parent_does():
    held, free = threading.Event(), threading.Event()

    def hold():
        with shared._lock:
            held.set()
            free.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(20)
    child = forked(lambda: shared.shared_memory("memory://").session("chat").add("hello"))
    try:
        assert ended_well(child)
    finally:
        free.set()
        thread.join()
