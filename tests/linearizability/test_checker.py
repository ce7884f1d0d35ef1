"""The checker itself: it accepts what one order explains, and catches each fault planted."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.linearizability.checker import explain
from tests.linearizability.client import Client
from tests.linearizability.operations import NEVER, Operation, OperationLog, read_log
from threadkeep.backends.memory import MemoryBackend


def operation(verb, called, ended, answer=None, ids=(), expect=None, client="a"):
    """Times are in milliseconds."""
    return Operation(client, "s", verb, called / 1_000, tuple(ids), expect, ended / 1_000, answer)


def append(called, ended, version, *records, expect=None):
    answer = {"version": version, "seqs": [seq for seq, _ in records]}
    verb = "append" if expect is None else "swap"
    return operation(verb, called, ended, answer, [id for _, id in records], expect)


def read(called, ended, version, *records):
    return operation("read", called, ended, {"version": version, "records": [*map(list, records)]})


def touch(called, ended, version):
    return operation("touch", called, ended, {"version": version, "seqs": []})


A, B = (1, "a"), (2, "b")
LOST = operation("append", 2, NEVER, None, ["b"])  # nobody heard the answer
FINE = {
    "one after another": [append(0, 1, 5, A), read(2, 3, 5, A), append(4, 5, 6, B)],
    "overlapping, in the other order": [
        append(0, 9, 6, B),
        append(1, 8, 5, A),
        read(2, 3, 5, A),
        read(10, 11, 6, A, B),
    ],
    "without an answer, and it happened": [
        operation("append", 0, NEVER, None, ["a"]),
        read(1, 2, 0),
        read(3, 4, 5, A),
    ],
    "without an answer, and it never happened": [
        operation("append", 0, NEVER, None, ["a"]),
        read(1, 2, 0),
    ],
    "a refused swap": [
        append(0, 1, 5, A),
        operation("swap", 2, 3, {"conflict": True}, ["b"], 0),
        read(4, 5, 5, A),
    ],
    "repeated after an answer was lost": [
        append(0, 1, 5, A),
        operation("remove", 2, 90, {"version": 7, "seqs": []}, ["a"]),
        read(3, 4, 6),
        read(100, 101, 7),
    ],
    "put again in its place": [
        operation("append", 0, 90, {"version": 6, "seqs": [1]}, ["a"]),
        read(1, 2, 5, A),
        read(100, 101, 6, A),
    ],
    "deleted and begun again": [
        append(0, 1, 5, A),
        operation("delete", 2, 3, {"version": 0, "seqs": []}),
        append(4, 5, 77, B, expect=0),
        read(6, 7, 77, B),
    ],
    "a touch tells the version that a lost answer held": [
        append(0, 1, 5, A),
        LOST,
        touch(3, 4, 6),
        append(5, 6, 7, (3, "c"), expect=6),
    ],
    "a swap guesses the version that a lost answer held": [
        append(0, 1, 5, A),
        LOST,
        append(5, 6, 7, (3, "c"), expect=6),
        read(7, 8, 7, A, B, (3, "c")),
    ],
}
WRONG = {
    "a lost append": [append(0, 1, 5, A), append(2, 3, 6, B), read(4, 5, 6, B)],
    "a stale read": [append(0, 1, 5, A), append(2, 3, 6, B), read(4, 5, 5, A)],
    "two swaps won": [
        append(0, 1, 5, A),
        append(2, 5, 6, B, expect=5),
        append(2, 5, 6, (3, "c"), expect=5),
    ],
    "a batch in halves": [
        append(0, 3, 5, A, B),
        read(1, 2, 5, A),
        read(4, 5, 5, A, B),
    ],
    "a refused swap that was written": [
        append(0, 1, 5, A),
        operation("swap", 2, 3, {"conflict": True}, ["b"], 4),
        read(4, 5, 6, A, B),
    ],
    "a refused swap that should have won": [
        append(0, 1, 5, A),
        operation("swap", 2, 3, {"conflict": True}, ["b"], 5),
    ],
    "written twice, before and after a deletion": [
        operation("append", 0, NEVER, None, ["a"]),
        read(1, 2, 5, A),
        operation("delete", 3, 4, {"version": 0, "seqs": []}),
        read(5, 6, 9, A),
    ],
    "a version that goes back": [append(0, 1, 5, A), append(2, 3, 4, B)],
    "a seq that was given before": [append(0, 1, 5, A), append(2, 3, 6, (1, "b"))],
    "deleted, and still there": [
        append(0, 1, 5, A),
        operation("delete", 2, 3, {"version": 0, "seqs": []}),
        read(4, 5, 5, A),
    ],
    "a swap that expects another version than a touch told": [
        append(0, 1, 5, A),
        LOST,
        touch(3, 4, 6),
        append(5, 6, 9, (3, "c"), expect=8),
    ],
    "a swap that expects nothing, where something lives": [
        LOST,
        touch(3, 4, 6),
        append(5, 6, 9, (3, "c"), expect=0),
    ],
}


@pytest.mark.parametrize("name", FINE)
def test_what_one_order_explains_is_accepted(name):
    assert explain(FINE[name]).found


@pytest.mark.parametrize("name", WRONG)
def test_each_planted_fault_is_caught(name):
    explained = explain(WRONG[name])
    assert not explained.found
    assert explained.blocked


def test_a_lost_record_in_a_real_history_is_caught(tmp_path: Path):
    history = _memory_history(tmp_path)
    assert explain(history).found
    pages = [one.answer["records"] for one in history if one.answer and one.verb == "read"]
    max(pages, key=len).pop(0)
    assert not explain(history).found


def _memory_history(folder: Path) -> list[Operation]:
    backend = MemoryBackend()

    def ask(name: str) -> None:
        log = OperationLog(folder / f"{name}.jsonl", name)
        client = Client(backend, log, name, int(name[1:]), 0.0)
        for _ in range(30):
            client._step("one", client._random.choice(["append", "read"]))
        log.close()

    threads = [threading.Thread(target=ask, args=(f"t{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [one for log in sorted(folder.glob("*.jsonl")) for one in read_log(log)]
