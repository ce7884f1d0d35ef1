"""A turn as applications take it: a new handle per request, a user's session, async, all new."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import threadkeep
from benchmarks.messages import Message, conversation, pairs
from benchmarks.plan import Plan
from benchmarks.report import Report, Table, micros, times
from benchmarks.systems import RECENT
from benchmarks.systems.raw_sqlite import RawSqlite
from benchmarks.timing import interleaved, median, p95, timed

Turn = Callable[[int], Any]

_LENGTH: Final = 1_000
_KEPT: Final = "raw sqlite3, connection kept"
_OPENED: Final = "raw sqlite3, opened per turn"
_BASE: Final = {"a new Memory per turn": _OPENED}  # the others are compared with _KEPT


def run(plan: Plan) -> Report:
    """Measure the ways by turns, each on its own session of 1,000 messages."""
    rounds = plan.many(400)
    message_pairs = pairs(rounds, seed=4)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        ways = _raw(folder / "raw", message_pairs, stack) | stack.enter_context(
            _ours(folder / "db", message_pairs)
        )
        laps_by_way = interleaved({name: timed(way) for name, way in ways.items()}, rounds)
    middle = {name: median(laps) for name, laps in laps_by_way.items()}
    rows = [
        [name, micros(middle[name]), micros(p95(laps)), _to_raw(name, middle)]
        for name, laps in laps_by_way.items()
    ]
    table = Table(
        "cold: a turn as applications take it, at 1,000 messages",
        "Microseconds; append 2, obtain the last 20. A request handler makes a new Session handle, "
        "which knows nothing of the session and must read before it writes; with user=, its list "
        "of sessions is kept as well. A new Memory opens the file anew, so it is compared with raw "
        "sqlite3 that does the same.",
        ("way", "median", "p95", "to raw"),
        rows,
    )
    return Report([table], data=middle)


def _to_raw(name: str, middle: dict[str, float]) -> str:
    return times(middle[name] / middle[_BASE.get(name, _KEPT)])


def _raw(
    folder: Path, message_pairs: list[tuple[Message, Message]], stack: ExitStack
) -> dict[str, Turn]:
    folder.mkdir()
    open_handle = RawSqlite(folder)
    stack.callback(open_handle.close)
    for session in ("kept", "opened"):
        open_handle.append(session, conversation(_LENGTH))

    def turn(raw: RawSqlite, session: str, number: int) -> None:
        raw.append(session, message_pairs[number])
        raw.recent(session)

    def opened(number: int) -> None:
        raw = RawSqlite(folder)
        turn(raw, "opened", number)
        raw.close()

    return {_KEPT: lambda number: turn(open_handle, "kept", number), _OPENED: opened}


@contextmanager
def _ours(folder: Path, message_pairs: list[tuple[Message, Message]]) -> Iterator[dict[str, Turn]]:
    folder.mkdir()
    path = folder / "chat.db"

    def turn(chat: threadkeep.Session, number: int) -> None:
        chat.add(*message_pairs[number])
        chat.window(max_messages=RECENT).to_openai()

    async def aturn(chat: threadkeep.Session, number: int) -> None:
        await chat.aadd(*message_pairs[number])
        (await chat.awindow(max_messages=RECENT)).to_openai()

    def fresh(number: int) -> None:
        with threadkeep.connect(path) as memory:
            turn(memory.session("fresh"), number)

    with threadkeep.connect(path) as memory, asyncio.Runner() as loop:
        for session in ("kept", "handle", "async", "fresh"):
            memory.session(session).add(*conversation(_LENGTH))
        memory.session("user", user="ada").add(*conversation(_LENGTH))
        open_handle, other = memory.session("kept"), memory.session("async")
        yield {
            "one handle, kept": lambda number: turn(open_handle, number),
            "a new handle per turn": lambda number: turn(memory.session("handle"), number),
            "a new handle with user=": lambda number: turn(
                memory.session("user", user="ada"), number
            ),
            "one handle, async twins": lambda number: loop.run(aturn(other, number)),
            "a new Memory per turn": fresh,
        }
