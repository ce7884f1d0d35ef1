"""What learning costs: whoever adds a message, in time; whoever pays for the model, in tokens."""

from __future__ import annotations

import json
import math
import random
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from benchmarks.messages import plain
from benchmarks.plan import Plan
from benchmarks.report import Bar, Report, Table, micros
from benchmarks.timing import Laps, interleaved, median, timed
from threadkeep import Memory, connect

_SLOW: Final = 30.0  # seconds that the model takes
_ROUNDS: Final = 10_000
_PER_SESSION: Final = 100
_TURNS: Final = 100
_LENGTHS: Final = (100, 400, 1_000)
_EVERY: Final = 10


def run(plan: Plan) -> Report:
    """Measure both."""
    laps, answers = _adding(plan.many(_ROUNDS))
    without, beside = laps["without a model"], laps["while a model takes 30 s"]
    rows = [
        [
            name,
            micros(median(lines_of_user)),
            micros(_p99(lines_of_user)),
            f"{_p99(lines_of_user) / _p99(without):.2f}x",
        ]
        for name, lines_of_user in laps.items()
    ]
    adding = Table(
        "learning: adding a message, SQLite",
        f"Microseconds of one add of a user's message of 400 characters, {len(without):,} of each, "
        f"by turns; the model answered {answers} times meanwhile. The last row is the first again: "
        "what the machine makes of the same code twice.",
        ("memory", "median", "p99", "p99 ratio"),
        rows,
    )
    costs = [_cost(length) for length in _LENGTHS]
    paying = Table(
        f"learning: what {_TURNS} turns cost",
        f"With every={_EVERY} and batch={_EVERY}, which is how it begins; facts, instructions and "
        "summary with one call; the model finds three facts in each batch. Tokens are estimated "
        "as a quarter of the bytes.",
        ("characters a turn", "calls", "prompt tokens", "of these said", "answer tokens"),
        [
            [str(n), *(f"{value:,}" for value in cost)]
            for n, cost in zip(_LENGTHS, costs, strict=True)
        ],
    )
    bar = Bar("add while a model takes 30 s, p99 to without", 1.1, _p99(beside) / _p99(without))
    data = {
        "p99": {name: _p99(lines_of_user) for name, lines_of_user in laps.items()},
        "costs": costs,
    }
    return Report([adding, paying], [bar], data)


def _adding(rounds: int) -> tuple[dict[str, list[Laps]], int]:
    answers: list[float] = []
    stop = threading.Event()

    def slow(_: list[dict[str, Any]]) -> str:
        stop.wait(_SLOW)
        answers.append(time.monotonic())
        return '{"facts": [], "instructions": []}'

    llm = {"call": slow, "every": 1, "calls_per_day": 1_000_000, "tokens_per_day": 1_000_000_000}
    options = {"without a model": None, "while a model takes 30 s": llm, "without, again": None}
    messages = plain(2 * rounds, 400)[::2]
    with ExitStack() as stack:
        memories = {
            name: stack.enter_context(
                connect(f"sqlite:///{stack.enter_context(_folder())}/chat.db", llm=chosen)
            )
            for name, chosen in options.items()
        }
        calls = {name: timed(_adder(memory, messages)) for name, memory in memories.items()}
        laps = interleaved(calls, rounds)
        stop.set()
    return laps, len(answers)


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True)


def _adder(memory: Memory, messages: list[dict[str, Any]]) -> Callable[[int], object]:
    chats: dict[int, Any] = {}

    def add(number: int) -> object:
        which = number // _PER_SESSION
        if which not in chats:
            chats[which] = memory.session(f"chat-{which}", user=f"user-{which % 20}")
        return chats[which].add(messages[number])

    return add


def _cost(length: int) -> tuple[int, int, int, int]:
    """Calls, prompt tokens, those of the messages alone, and answer tokens of a hundred turns."""
    dice = random.Random(3)

    def model(messages: list[dict[str, Any]]) -> str:
        lines = json.loads(messages[1]["content"])["messages"]
        lines_of_user = [line for line in lines if line["from"] == "user"][:3]
        facts = [
            {"text": f"Ada said {' '.join(dice.sample(line['text'].split(), 8))}",
             "items": [line["number"]], "quote": line["text"][:60], "relation": "new",
             "known": None, "confidence": 0.9, "valid_from": None, "valid_to": None}
            for line in lines_of_user
        ]  # fmt: skip
        summary = {"text": " ".join(line["text"][:90] for line in lines)[:900], "topics": ["talk"]}
        return json.dumps({"facts": facts, "instructions": [], "summary": summary})

    messages = plain(_TURNS, length, seed=4)
    with connect("memory://", llm={"call": model, "every": 10**6, "idle": 10**6}) as memory:
        chat = memory.session("chat", user="ada")
        for start in range(0, _TURNS, _EVERY):
            chat.add(*messages[start : start + _EVERY])
        report = memory.extract()
    said = sum(-(-len(message["content"].encode()) // 4) for message in messages)
    return report.calls, report.prompt_tokens, said, report.completion_tokens


def _p99(laps: list[Laps]) -> float:
    values = sorted(sum(lap) for lap in laps)
    return values[math.ceil(len(values) * 0.99) - 1]
