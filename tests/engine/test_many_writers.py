"""Many processes and threads at one store: nothing lost, doubled, out of order, or split."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.engine.writing import whole, write
from threadkeep import connect
from threadkeep.errors import NotOwner

pytestmark = pytest.mark.slow

PROCESSES, BATCHES = 4, 50


@pytest.mark.proves("C2")
@pytest.mark.parametrize("user", [None, "ada"], ids=["nobody's", "a user's"])
@pytest.mark.parametrize("sessions", [1, 50])
def test_4_processes_of_4_threads(tmp_path, sessions, user):
    path = tmp_path / "chat.db"
    ids = [f"s{n}" for n in range(sessions)]
    command = [sys.executable, "-m", "tests.engine.writing", str(path), user or "", str(sessions)]
    writers = [
        subprocess.Popen([*command, str(n), str(BATCHES)], stderr=subprocess.PIPE, text=True)
        for n in range(PROCESSES)
    ]
    over = threading.Event()
    with connect(path) as memory, ThreadPoolExecutor(1) as threads:
        readers = [threads.submit(read, memory, user, ids, over)]
        errors = [writer.communicate(timeout=60)[1] for writer in writers]
        over.set()
        assert [writer.returncode for writer in writers] == [0] * PROCESSES, "\n".join(errors)
        assert all(reader.result() for reader in readers), "nothing was read"
        check(memory, user, ids)


def read(memory, user, ids, over):
    """Read on until all is written, and once more; how often something was there."""
    handles = [memory.session(id, user=user) for id in ids]
    seen = [0] * len(handles)
    looks, is_last = 0, False
    while not is_last:
        is_last = over.wait(0.01)
        for n, chat in enumerate(handles):
            items = chat.items()
            whole(items)
            assert len(items) >= seen[n], "something that was there is gone"
            seen[n] = len(items)
            page = chat.items(last=7)
            assert [item.seq for item in page] == sorted({item.seq for item in page})
            looks += bool(items)
    return looks


def check(memory, user, ids):
    """Every batch of every writer, once, in its order."""
    everybody = [f"p{number}t{thread}" for number in range(PROCESSES) for thread in range(4)]
    written: dict[str, list[int]] = {writer: [] for writer in everybody}
    for place, id in enumerate(ids):
        found = whole(memory.session(id, user=user).items())
        assert set(found) == set(everybody)
        for writer, batches in found.items():
            assert batches == list(range(place, BATCHES, len(ids))), f"{writer} in {id}"
            written[writer] += batches
    assert all(sorted(batches) == list(range(BATCHES)) for batches in written.values())
    listed = memory.sessions(user=user, limit=100)
    assert sorted(info.id for info in listed) == sorted(ids)


@pytest.mark.proves("C2")
def test_many_threads_with_one_memory(opened):
    memory = opened()
    ids = ["s0", "s1", "s2"]
    with ThreadPoolExecutor(8) as threads:
        tasks = [threads.submit(write, memory, "ada", ids, f"t{thread}", 30) for thread in range(8)]
        for task in tasks:
            task.result()
    for place, id in enumerate(ids):
        found = whole(memory.session(id).items())
        assert found == {f"t{thread}": list(range(place, 30, 3)) for thread in range(8)}


@pytest.mark.proves("C2")
def test_many_threads_with_one_handle(opened):
    """A handle may be shared; what it knows of the session changes under its own feet."""
    chat = opened().session("chat", user="ada")

    def append(thread):
        for n in range(40):
            size = 2 + n % 3
            chat.add(*(f"t{thread} {n} {part} {size}" for part in range(size)))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(append, range(8)))
    finally:
        sys.setswitchinterval(interval)
    assert whole(chat.items()) == {f"t{thread}": list(range(40)) for thread in range(8)}


@pytest.mark.proves("C2")
def test_many_that_begin_one_session_at_once(opened):
    memory = opened()
    barrier = threading.Barrier(8)

    def begin(thread, round_):
        barrier.wait(10)
        memory.session(f"s{round_}", user="ada").add(f"t{thread} 0 0 2", f"t{thread} 0 1 2")

    with ThreadPoolExecutor(8) as threads:
        for round_ in range(5):
            list(threads.map(begin, range(8), [round_] * 8))
            found = whole(memory.session(f"s{round_}").items())
            assert found == {f"t{thread}": [0] for thread in range(8)}
    assert len(memory.sessions(user="ada")) == 5


@pytest.mark.proves("C12")
def test_appending_while_others_rewind_fork_and_clear(opened):
    """Every batch is either there as a whole or was taken back as a whole."""
    memory = opened()
    chat = memory.session("chat", user="ada")
    over = threading.Event()

    def append(thread):
        mine = memory.session("chat", user="ada")
        for n in range(40):
            mine.add(f"t{thread} {n} 0 2", f"t{thread} {n} 1 2")

    def edit():
        rounds = 0
        while not over.is_set():
            items = chat.items(last=8)
            if len(items) > 6:
                first = next(item for item in items if item.content.split()[2] == "0")
                chat.rewind(before=first.id)
            if items:
                whole(chat.fork(f"copy{rounds}").items())
            rounds += 1
        return rounds

    with ThreadPoolExecutor(5) as threads:
        editor = threads.submit(edit)
        list(threads.map(append, range(4)))
        over.set()
        assert editor.result()
    whole(chat.items())


def test_two_users_that_fight_for_one_session_never_mix(opened):
    """Deleted and begun anew all the time: what one owner wrote, the other never sees."""
    memory = opened()

    def fight(user):
        chat, refused = memory.session("chat", user=user), 0
        for n in range(60):
            try:
                chat.add(f"{user} {n} 0 2", f"{user} {n} 1 2")
                assert all(item.content.startswith(user) for item in chat.items())
                if n % 7 == 0:
                    chat.delete()
            except NotOwner:
                refused += 1
        return refused

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(fight, ["ada", "bob", "ada", "bob"]))
    items = memory.session("chat").items()
    assert len({item.content.split()[0] for item in items}) <= 1
