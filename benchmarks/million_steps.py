"""The steps of the at-size run; each is called in a process of its own."""

from __future__ import annotations

import dataclasses
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import threadkeep
from benchmarks.messages import conversation
from threadkeep import Memory
from threadkeep.core import copy_streams

_OF_A_USER: Final = 10
_PAGE: Final = 500
_ROUNDS: Final = 200
_VARIETY: Final = 50


def told(line: Any, step: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Run a step; say what it said, its seconds, and the peak memory of this process."""
    start = time.monotonic()
    outcome = step(*arguments)
    line.send((outcome, time.monotonic() - start, _peak()))
    line.close()


def fill(url: str, conversations: int, each: int) -> None:
    """Conversations of ten to a user, written at once each."""
    outcome = [conversation(each, seed) for seed in range(_VARIETY)]
    with threadkeep.connect(url) as memory:
        for n in range(conversations):
            chat = memory.session(_name(n), user=f"user-{n // _OF_A_USER}")
            chat.add(*outcome[n % _VARIETY])


def list_all(url: str, conversations: int) -> None:
    """Every session, by pages."""
    with threadkeep.connect(url) as memory:
        found = sum(1 for _ in _sessions(memory))
    if found != conversations:
        raise AssertionError(f"{found} sessions were listed, {conversations} are there")


def page_of_users(url: str) -> float:
    """The median seconds of the newest page of a user's sessions."""
    with threadkeep.connect(url) as memory:
        return _median(lambda n: memory.sessions(user=f"user-{n}", limit=20))


def page_items(url: str, conversations: int) -> float:
    """The median seconds of a page of items behind the middle of a conversation."""
    dice, chosen = random.Random(1), {}
    with threadkeep.connect(url) as memory:
        for n in range(_ROUNDS):
            id = _name(dice.randrange(conversations))
            items = memory.session(id).items()
            chosen[n] = (id, items[len(items) // 2].id)
        book = memory.conversations
        return _median(lambda n: book.items(chosen[n][0], limit=20, after=chosen[n][1]))


def windows(url: str, conversations: int) -> float:
    """The median seconds of a window of the newest twenty messages, of a new handle."""
    dice = random.Random(2)
    with threadkeep.connect(url) as memory:
        ids = [_name(dice.randrange(conversations)) for _ in range(_ROUNDS)]
        return _median(lambda n: memory.session(ids[n]).window(max_messages=20))


def command(*arguments: str) -> None:
    """What the command line does with these arguments."""
    from threadkeep.cli.app import run

    sys.argv = ["threadkeep", *arguments]
    if code := run():
        raise SystemExit(code)


def streams(url: str) -> int:
    """How many streams a store holds."""
    with threadkeep.connect(url) as memory:
        return len(copy_streams.stream_names(memory._engine.backend))


def compare(source_url: str, other: str) -> tuple[int, int]:
    """Every item of every session in both stores: how many differ, how many are the same."""
    different = same = 0
    with threadkeep.connect(source_url) as mine, threadkeep.connect(other) as theirs:
        for id in (info.id for info in _sessions(mine)):
            pairs = zip_longest(mine.session(id).items(), theirs.session(id).items())
            for source_page, right in pairs:
                alike = _unplaced(source_page) == _unplaced(right)
                same, different = same + alike, different + (not alike)
        counts = [sum(1 for _ in _sessions(memory)) for memory in (mine, theirs)]
    return different + abs(counts[0] - counts[1]), same


def _sessions(memory: Memory) -> Iterator[Any]:
    cursor = None
    while True:
        page = memory.sessions(limit=_PAGE, cursor=cursor)
        yield from page
        cursor = page.cursor
        if cursor is None:
            return


def _unplaced(item: Any) -> Any:
    """The item without its seq, which each store gives anew."""
    return None if item is None else dataclasses.replace(item, seq=0)


def _median(call: Callable[[int], object]) -> float:
    laps = []
    for n in range(_ROUNDS):
        start = time.perf_counter()
        call(n)
        laps.append(time.perf_counter() - start)
    return statistics.median(laps)


def _name(n: int) -> str:
    return f"chat-{n:06}"


def _peak() -> float:
    """Peak memory of this process in MB, where the system tells; else NaN."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else float("nan")
