"""A turn of a LangChain agent at 10 and 10,000 messages, and what 200 turns take on disk."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.messages import plain
from benchmarks.plan import Plan
from benchmarks.report import Report, Table, micros
from benchmarks.timing import Laps, interleaved, median, timed

LENGTHS: Final = (10, 10_000)
TURNS: Final = 200
_PATIENCE: Final = 20.0  # seconds for one system at one length
_TEXT: Final = 350


def run(plan: Plan) -> Report:
    """Measure an agent without memory, with threadkeep, and with LangGraph's saver."""
    rounds = plan.many(60)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        turns = _turns(Path(folder), rounds)
        laps = interleaved(turns, rounds, _PATIENCE)
    sizes = {name: _size(name, plan.many(TURNS)) for name in ("threadkeep", "sqlite saver")}
    data = {
        "turns": {f"{name}/{length}": median(found) for (name, length), found in laps.items()},
        "bytes": sizes,
    }
    return Report([_latency(laps), _storage(sizes, plan.many(TURNS))], [], data)


def _turns(folder: Path, rounds: int) -> dict[tuple[str, int], Callable[[int], Laps]]:
    found: dict[tuple[str, int], Callable[[int], Laps]] = {}
    for name in _AGENTS:
        for length in LENGTHS if name != "no memory" else (0,):
            place = folder / f"{name}-{length}"
            place.mkdir()
            found[name, length] = timed(_ready(name, place, length))
    return found


def _ready(name: str, folder: Path, length: int) -> Callable[[int], object]:
    """An agent with a history of that length; the caller runs its turns."""
    agent, fill = _AGENTS[name](folder)
    fill(length)
    messages = plain(2_000, _TEXT, seed=5)
    config = {"configurable": {"thread_id": "t"}}

    def turn(number: int) -> object:
        text = messages[number % len(messages)]["content"]
        return agent.invoke({"messages": [{"role": "user", "content": text}]}, config)

    return turn


def _size(name: str, turns: int) -> int:
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        turn = _ready(name, Path(place), 0)
        for number in range(turns):
            turn(number)
        for path in Path(place).glob("*.db"):  # what a close of the last connection does
            with sqlite3.connect(path) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
        return sum(path.stat().st_size for path in Path(place).iterdir())


def _model() -> Any:
    from langchain_core.language_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage

    messages = plain(2_000, _TEXT, seed=6)
    return GenericFakeChatModel(
        messages=(AIMessage(messages[n % 2_000]["content"]) for n in _count())
    )


def _count() -> Any:
    import itertools

    return itertools.count()


def _forgetful(folder: Path) -> tuple[Any, Callable[[int], None]]:
    from langchain.agents import create_agent

    return create_agent(_model()), lambda _: None


def _threadkeep(folder: Path) -> tuple[Any, Callable[[int], None]]:
    from langchain.agents import create_agent

    import threadkeep
    from langchain_threadkeep import ThreadkeepMiddleware

    memory = threadkeep.connect(folder / "chat.db")
    agent = create_agent(
        _model(), middleware=[ThreadkeepMiddleware(memory, window={"max_messages": 20})]
    )

    def fill(length: int) -> None:
        if length:
            memory.session("t").add(*plain(length, _TEXT))

    return agent, fill


def _saver(folder: Path) -> tuple[Any, Callable[[int], None]]:
    from langchain.agents import create_agent
    from langgraph.checkpoint.sqlite import SqliteSaver

    connection = sqlite3.connect(folder / "saver.db", check_same_thread=False)
    agent: Any = create_agent(_model(), checkpointer=SqliteSaver(connection))

    def fill(length: int) -> None:
        if length:
            config = {"configurable": {"thread_id": "t"}}
            agent.update_state(config, {"messages": plain(length, _TEXT)}, as_node="model")

    return agent, fill


_AGENTS: Final[Mapping[str, Callable[[Path], tuple[Any, Callable[[int], None]]]]] = {
    "no memory": _forgetful,
    "threadkeep": _threadkeep,
    "sqlite saver": _saver,
}


def _latency(laps: Mapping[tuple[str, int], list[Laps]]) -> Table:
    def cell(name: str, length: int) -> str:
        found = laps.get((name, length)) or laps.get((name, 0))
        return micros(median(found)) if found else "-"

    return Table(
        "agents: a turn of create_agent with a model that answers at once, by length of the thread",
        "Median microseconds by turns in one process. threadkeep: ThreadkeepMiddleware with a "
        "window of 20 messages and no checkpointer. sqlite saver: LangGraph's SqliteSaver; its "
        "agent is shown the whole thread.",
        ("memory", *(f"{length:,}" for length in LENGTHS)),
        [[name, *(cell(name, length) for length in LENGTHS)] for name in _AGENTS],
    )


def _storage(sizes: Mapping[str, int], turns: int) -> Table:
    text = turns * 2 * _TEXT
    return Table(
        f"agents: bytes on disk after {turns} turns of {2 * _TEXT} characters",
        f"All files after a checkpoint of the write-ahead log; {text:,} characters were said.",
        ("memory", "bytes", "per character"),
        [[name, f"{size:,}", f"{size / text:.1f}"] for name, size in sizes.items()],
    )
