"""What a window of a long history costs, and how much of the prompt stays the same."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from statistics import median
from typing import Any

import threadkeep
from examples.demo import terminal
from threadkeep import Memory, Session

SHORT, LONG, SHOWN = 20, 10_000, 20
TURNS, SEEN = 200, 40
ROUNDS = 300


def show() -> None:
    """Measure in a store of its own, and print."""
    terminal.heading(f"8  {LONG:,} messages; the window costs what one of {SHORT} costs")
    with (
        tempfile.TemporaryDirectory(prefix="threadkeep-demo-") as folder,
        threadkeep.connect(Path(folder, "long.db")) as memory,
    ):
        short = _filled(memory, "short", SHORT)
        began = time.perf_counter()
        long = _filled(memory, "long", LONG)
        terminal.row("written", f"{LONG:,} messages in {time.perf_counter() - began:.2f} s")
        times = _medians(short, long)
    for length, took in zip((SHORT, LONG), times, strict=True):
        terminal.row(
            f"{length:,}", f"messages: a window of {SHOWN} takes {took * 1e6:.0f} us (median)"
        )
    terminal.row("ratio", f"{times[1] / times[0]:.2f}")
    moving, stepping = _same_prefix(step=None), _same_prefix(step=0.5)
    terminal.row(
        "prompt",
        f"over {TURNS} turns {moving:.0%} is as in the one before, so cached; "
        f"with step=0.5, {stepping:.0%}",
    )


def _filled(memory: Memory, id: str, length: int) -> Session:
    chat = memory.session(id)
    chat.add(*(_message(number) for number in range(length)))
    return chat


def _message(number: int) -> dict[str, Any]:
    return {"role": "assistant" if number % 2 else "user", "content": f"This is message {number}."}


def _medians(*chats: Session) -> list[float]:
    """Taken in turns, so that a busy moment of the machine falls on all of them."""
    times: list[list[float]] = [[] for _ in chats]
    for _ in range(ROUNDS):
        for chat, taken in zip(chats, times, strict=True):
            began = time.perf_counter()
            chat.window(max_messages=SHOWN)
            taken.append(time.perf_counter() - began)
    return [median(taken) for taken in times]


def _same_prefix(step: float | None) -> float:
    """The share of each prompt that begins exactly as the one before, by characters."""
    same = total = 0
    for before, after in _pairs(step):
        common = takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))
        same += sum(len(message) for _, message in common)
        total += sum(map(len, after))
    return same / total


def _pairs(step: float | None) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    with threadkeep.connect("memory://") as memory:
        chat = memory.session("cached")
        before: list[str] = []
        for turn in range(TURNS):
            chat.add(_message(2 * turn))
            window = chat.window(max_messages=SEEN, step=step)
            after = [json.dumps(message) for message in window.to_openai()]
            yield before, after
            before = after
            chat.add(_message(2 * turn + 1))
