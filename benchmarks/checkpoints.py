"""LangGraph's checkpointers: bytes per turn as a thread grows, and a turn's time, as ratios."""

from __future__ import annotations

import itertools
import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.messages import plain
from benchmarks.plan import Plan
from benchmarks.report import Bar, Report, Table, times
from benchmarks.timing import Laps, interleaved, median, timed

LENGTHS: Final = (10, 200, 2_000)
"""Turns of the thread whose next turn is measured."""

GROWTH: Final = (10, 200, 10_000)
"""Turns after which the store is weighed; others than ours only up to 200, whose square grows."""

_TEXT: Final = 350
_PATIENCE: Final = 30.0
_CONFIG: Final[Any] = {"configurable": {"thread_id": "t"}}


class Saver(NamedTuple):
    """A checkpointer in a folder, and what makes it cold again."""

    saver: Any
    cool: Callable[[], None]
    close: Callable[[], None]


def run(plan: Plan) -> Report:
    """Weigh and time the same graph of one node on each checkpointer."""
    sizes = {(name, turns): _size(name, turns) for name, turns in _weighed(plan)}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        lengths = LENGTHS[:2] if plan.quick else LENGTHS
        turns = {
            (name, length): timed(_ready(stack, name, Path(folder) / f"{name}-{length}", length))
            for name in ("sqlite", "memory", "ours", "ours, cold")
            for length in lengths
        }
        laps = interleaved(turns, plan.many(30), _PATIENCE)
    data = {
        "bytes": {f"{name}/{turns}": size for (name, turns), size in sizes.items()},
        "turns": {f"{name}/{length}": median(found) for (name, length), found in laps.items()},
    }
    return Report([_growth(sizes), _latency(laps, lengths)], _bars(sizes, laps, lengths), data)


def _weighed(plan: Plan) -> list[tuple[str, int]]:
    longest = 1_000 if plan.quick else GROWTH[-1]
    small = list(itertools.product(("sqlite", "sqlite, delta"), GROWTH[:2]))
    return [*small, *(("ours", turns) for turns in (*GROWTH[:2], longest))]


def _size(name: str, turns: int) -> int:
    """Bytes on disk after so many turns."""
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        opened = _open(name, Path(place))
        graph = _graph(opened.saver, delta=name.endswith("delta"))
        messages = plain(2_000, _TEXT, seed=6)
        for number in range(turns):
            _say(graph, messages[number % 2_000]["content"])
        opened.close()
        for path in Path(place).glob("*.db"):  # what a close of the last connection does
            with sqlite3.connect(path) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
        return sum(path.stat().st_size for path in Path(place).iterdir())


def _ready(stack: ExitStack, name: str, folder: Path, length: int) -> Callable[[int], object]:
    """The next turn of a thread of that length."""
    folder.mkdir()
    opened = _open(name.removesuffix(", cold"), folder)
    stack.callback(opened.close)
    graph = _graph(opened.saver)
    messages = plain(2 * length, _TEXT)
    graph.update_state(_CONFIG, {"messages": messages}, as_node="answer")

    def turn(number: int) -> None:
        if name.endswith("cold"):
            opened.cool()
        _say(graph, messages[number % len(messages)]["content"])

    return turn


def _say(graph: Any, text: str) -> None:
    graph.invoke({"messages": [{"role": "user", "content": text}]}, _CONFIG, durability="sync")


def _graph(saver: Any, *, delta: bool = False) -> Any:
    from typing import Annotated, TypedDict

    from langchain_core.messages import AIMessage
    from langgraph.channels.delta import DeltaChannel
    from langgraph.graph import END, START, StateGraph
    from langgraph.graph.message import _messages_delta_reducer, add_messages

    replayed: Any = _messages_delta_reducer
    reducer: Any = DeltaChannel(replayed, snapshot_frequency=50) if delta else add_messages
    channel = Annotated[list[Any], reducer]
    # not as a class: its annotations would be texts, which nobody could look up in here
    state_type = TypedDict("state_type", {"messages": channel})  # noqa: UP013
    texts = plain(2_000, _TEXT, seed=7)
    numbers = itertools.count()

    def answer(state: Any) -> Any:
        text = texts[next(numbers) % 2_000]["content"]
        return {"messages": [AIMessage(text, id=f"lc_run--{os.urandom(16).hex()}")]}

    builder: Any = StateGraph(state_type)
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    builder.add_edge("answer", END)
    return builder.compile(checkpointer=saver)


def _open(name: str, folder: Path) -> Saver:
    if name == "memory":
        from langgraph.checkpoint.memory import InMemorySaver

        return Saver(InMemorySaver(), lambda: None, lambda: None)
    if name.startswith("sqlite"):
        from langgraph.checkpoint.sqlite import SqliteSaver

        connection = sqlite3.connect(folder / "saver.db", check_same_thread=False)
        return Saver(SqliteSaver(connection), lambda: None, connection.close)
    return _ours(folder)


def _ours(folder: Path) -> Saver:
    import threadkeep
    from langchain_threadkeep import ThreadkeepSaver

    memory = threadkeep.connect(folder / "chat.db")
    saver = ThreadkeepSaver(memory)

    def cool() -> None:
        """Forget what the process knows, as a new one knows nothing."""
        saver.forget_threads()
        memory._engine.recent_items.clear()

    return Saver(saver, cool, memory.close)


def _growth(sizes: dict[tuple[str, int], int]) -> Table:
    return Table(
        "checkpoints: kilobytes per turn",
        f"Size of all files after closing, by the turns of one thread, {2 * _TEXT} characters a "
        "turn. delta: LangGraph's DeltaChannel, with a snapshot at every 50th update.",
        ("checkpointer", "turns", "kB per turn", "MB in all"),
        [
            [name, f"{turns:,}", f"{size / turns / 1e3:,.1f}", f"{size / 1e6:,.1f}"]
            for (name, turns), size in sizes.items()
        ],
    )


def _latency(laps: dict[tuple[str, int], list[Laps]], lengths: tuple[int, ...]) -> Table:
    def ratio(name: str, length: int) -> str:
        return times(median(laps[name, length]) / median(laps["sqlite", length]))

    return Table(
        "checkpoints: a turn, SqliteSaver = 1",
        "The next turn of a thread of so many turns. cold: what the process knew of the thread is "
        "forgotten before it.",
        ("checkpointer", *(f"{length:,} turns" for length in lengths)),
        [[name, *(ratio(name, n) for n in lengths)] for name in ("memory", "ours", "ours, cold")],
    )


def _bars(
    sizes: dict[tuple[str, int], int],
    laps: dict[tuple[str, int], list[Laps]],
    lengths: tuple[int, ...],
) -> list[Bar]:
    def ratio(name: str, length: int) -> float:
        return median(laps[name, length]) / median(laps["sqlite", length])

    longest = max(turns for name, turns in sizes if name == "ours")
    return [
        Bar("checkpoints: 200 turns, SqliteSaver's bytes by ours", 20,
            sizes["sqlite", 200] / sizes["ours", 200], least=True),
        Bar(f"checkpoints: {longest:,} turns, kB per turn", 8,
            sizes["ours", longest] / longest / 1e3, " kB"),
        *(Bar(f"checkpoints: a cold turn at {n:,}", 1.2, ratio("ours, cold", n)) for n in lengths),
        Bar(f"checkpoints: a warm turn at {lengths[-1]:,}", 0.5, ratio("ours", lengths[-1])),
    ]  # fmt: skip
