"""What recall costs by the number of a user's items; words as frequent as in any language."""

from __future__ import annotations

import itertools
import random
import statistics
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.report import Table
from threadkeep import User, connect
from threadkeep.longterm.recall.query_user import Recall

SIZES: Final = (1_000, 10_000, 100_000)
_VOCABULARY: Final = 40_000
_WORDS: Final = 25
SESSION: Final = 50
_QUESTIONS: Final = 40
_LETTERS: Final = "bcdfglmnprstvz", "aeiou"


def table(sizes: Sequence[int] = SIZES) -> Table:
    """A row for each number of items."""
    return Table(
        "By the number of a user's items",
        f"Turns of {_WORDS} words out of {_VOCABULARY:,}, the n-th as frequent as 1/n, in sessions "
        f"of {SESSION}, in memory; questions of six words of one turn. Finds: how often that turn "
        "is among the first ten. Added: a question right after one more item. Cpu is what other "
        "programs do not lengthen.",
        ("items", "index s", "its cpu s", "MB", "p50 ms", "p95 ms", "cpu ms", "added ms", "finds"),
        [_row(size) for size in sizes],
    )


def _row(size: int) -> list[str]:
    dice, now = random.Random(size), [time.time()]
    with connect("memory://", clock=lambda: now[0]) as memory:
        user = memory.user("ada")
        some = list(itertools.islice(turns(dice), size))
        for first in range(0, size, SESSION):
            user.session(f"s{first}").add(*some[first : first + SESSION])
        now[0] += 86_400
        start, worked = time.perf_counter(), time.process_time()
        user.recall("nothing")
        indexing = time.perf_counter() - start, time.process_time() - worked
        questions = [_asked(dice, turn) for turn in dice.sample(some, _QUESTIONS)]
        worked = time.process_time()
        laps, finds = _ask(user, questions)
        worked = (time.process_time() - worked) / len(questions)
        after = [_after_an_add(user, dice, n) for n in range(10)]
        megabytes = _megabytes(user, some) if size <= 10_000 else None
    cuts = statistics.quantiles(laps, n=20)
    times = (cuts[9], cuts[18], worked, statistics.median(after))
    return [
        f"{size:,}",
        *(f"{seconds:.2f}" for seconds in indexing),
        "-" if megabytes is None else f"{megabytes:.1f}",
        *(f"{seconds * 1e3:.1f}" for seconds in times),
        f"{finds / len(questions):.2f}",
    ]


def _ask(user: User, questions: list[tuple[str, str]]) -> tuple[list[float], int]:
    laps, finds = [], 0
    for question, answer in questions:
        start = time.perf_counter()
        hits = user.recall(question)
        laps.append(time.perf_counter() - start)
        finds += answer in (hit.text for hit in hits)
    return laps, finds


def _after_an_add(user: User, dice: random.Random, n: int) -> float:
    user.session("s0").add(f"{_text(dice)} {n}")
    question = " ".join(_words(dice, 6))
    start = time.perf_counter()
    user.recall(question)
    return time.perf_counter() - start


def _megabytes(user: User, turns: Sequence[str]) -> float:
    """What the index of the turns takes, built once more."""
    recall = user._engine.component(Recall)
    recall.forget_user(user.id)
    tracemalloc.start()
    user.recall("nothing")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / 1e6


def _asked(dice: random.Random, turn: str) -> tuple[str, str]:
    return " ".join(dice.sample(turn.split(), 6)), turn


def questions(count: int) -> list[str]:
    """Questions of six words, as frequent as in what was said."""
    dice = random.Random(5)
    return [" ".join(_words(dice, 6)) for _ in range(count)]


def turns(dice: random.Random) -> Iterator[str]:
    """What is said, without end."""
    while True:
        yield _text(dice)


def _text(dice: random.Random) -> str:
    return " ".join(_words(dice, _WORDS))


_words_known: list[str] = []
_weights: list[float] = []


def _words(dice: random.Random, many: int) -> list[str]:
    if not _words_known:
        made = random.Random(1)
        while len(_words_known) < _VOCABULARY:
            _words_known.append("".join(made.choice(_LETTERS[n % 2]) for n in range(7)))
        _weights.extend(itertools.accumulate(1 / n for n in range(1, _VOCABULARY + 1)))
    return dice.choices(_words_known, cum_weights=_weights, k=many)
