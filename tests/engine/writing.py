"""What the processes of `test_many_writers` do; without pytest, so that they start fast."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from threadkeep import Memory, connect

SIZES = (2, 3, 4)


def write(memory: Memory, user: str | None, sessions: list[str], writer: str, batches: int) -> None:
    """Append batches of 2 to 4 to the sessions in turn; each item says whose and which."""
    handles = [memory.session(id, user=user) for id in sessions]
    for n in range(batches):
        size = SIZES[n % len(SIZES)]
        texts = [f"{writer} {n} {part} {size}" for part in range(size)]
        added = handles[n % len(handles)].add(*texts)
        told = [item.seq for item in added]
        assert told == list(range(told[0], told[0] + size)), "a batch was split"


def process(path: Path, user: str | None, sessions: list[str], number: int, batches: int) -> None:
    """Four threads that write."""
    with connect(path) as memory, ThreadPoolExecutor(4) as threads:
        tasks = [
            threads.submit(write, memory, user, sessions, f"p{number}t{thread}", batches)
            for thread in range(4)
        ]
        for task in tasks:
            task.result()


def whole(items: list[Any]) -> dict[str, list[int]]:
    """By writer, its batches in the order they are stored.

    Raises:
        AssertionError: seqs do not increase, or a batch is not there as a whole, in one place.
    """
    seqs = [item.seq for item in items]
    assert seqs == sorted(set(seqs)), "seqs are not strictly increasing"
    found: dict[str, list[int]] = {}
    place = 0
    while place < len(items):
        writer, n, _, size = items[place].content.split()
        batch = [f"{writer} {n} {part} {size}" for part in range(int(size))]
        there = [item.content for item in items[place : place + int(size)]]
        assert there == batch, f"{writer} {n} is split, cut short or out of order: {there}"
        found.setdefault(writer, []).append(int(n))
        place += int(size)
    return found


if __name__ == "__main__":
    file, owner, many, mine, count = sys.argv[1:]
    process(Path(file), owner or None, [f"s{n}" for n in range(int(many))], int(mine), int(count))
