"""A turn, append 2 messages and obtain the last 20, by length of the history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, Final

from benchmarks.messages import conversation, pairs
from benchmarks.plan import Plan
from benchmarks.report import Bar, Report, Table, micros
from benchmarks.systems import OURS, RECENT, System
from benchmarks.timing import Laps, interleaved, median, p95

Place = tuple[str, int]
"""A system and a length."""
Found = Mapping[Place, list[Laps]]

_BATCH: Final = 1_000
_PATIENCE: Final = 1.0  # seconds for one system at one length


def run(plan: Plan) -> Report:
    """Measure all systems at all lengths, by turns."""
    rounds = plan.many(600)
    with plan.opened() as systems:
        places = [
            (name, length)
            for name, system in systems.items()
            for length in plan.lengths
            if length <= system.longest
        ]
        calls = {(name, length): _turns(systems[name], length, rounds) for name, length in places}
        laps_by_place = interleaved(calls, rounds, _PATIENCE)
    raws = {name: system.raw for name, system in systems.items()}
    return Report(
        [_latency(laps_by_place, raws), _split(laps_by_place)],
        _bars(laps_by_place, raws),
        _data(laps_by_place),
    )


def _turns(system: System, length: int, rounds: int) -> Callable[[int], Laps]:
    """One turn per round, in a fresh session before it has grown to twice its length."""
    each = max(5, length // 4)
    sessions = [f"{length}-{n}" for n in range(-(-rounds // each))]
    history, message_pairs = conversation(length), pairs(rounds, seed=3)
    for session in sessions:
        for start in range(0, length, _BATCH):
            system.append(session, history[start : start + _BATCH])

    def turn(number: int) -> Laps:
        session, pair = sessions[number // each], message_pairs[number]
        start = perf_counter()
        system.append(session, pair)
        appended = perf_counter()
        window = system.recent(session)
        end = perf_counter()
        _check(window, pair[-1]["content"])
        return appended - start, end - appended

    return turn


def _check(window: Any, newest: str) -> None:
    last = window[-1]
    message_pairs = last["content"] if isinstance(last, dict) else last.content
    if message_pairs != newest or len(window) > RECENT:
        raise AssertionError(f"a turn gave {len(window)} messages, not the newest {RECENT}")


def _latency(laps_by_place: Found, raws: Mapping[str, str]) -> Table:
    lengths = sorted({length for _, length in laps_by_place})

    def cell(place: Place) -> str:
        if place not in laps_by_place:
            return "-"
        return f"{micros(median(laps_by_place[place]))} ({_ratio(laps_by_place, raws, place):.2f}x)"

    return Table(
        "turn: append 2 messages, obtain the last 20, by length of the history",
        "Median microseconds, and how many times the raw driver's. All systems and lengths run by "
        "turns in one process, so load on the machine shifts all alike. threadkeep: chat.add(two "
        "dicts), then chat.window(max_messages=20).to_openai(). raw_sqlite: json.dumps and "
        "executemany, then SELECT and json.loads. raw_jsonl: json.dumps and one write, then the "
        "end of the file and json.loads. -: takes too long to wait for.",
        ("system", *(f"{length:,}" for length in lengths)),
        [[name, *(cell((name, length)) for length in lengths)] for name in _names(laps_by_place)],
    )


def _split(laps_by_place: Found) -> Table:
    rows = [
        [
            name,
            f"{length:,}",
            *(micros(median(laps, part)) for part in (0, 1)),
            *(micros(p95(laps, part)) for part in (0, 1, None)),
        ]
        for (name, length), laps in laps_by_place.items()
    ]
    return Table(
        "turn, in its two parts",
        "The same turns in microseconds: the append, the reading, and what 95 in 100 stay under.",
        ("system", "length", "append", "read", "append p95", "read p95", "turn p95"),
        rows,
    )


def _bars(laps_by_place: Found, raws: Mapping[str, str]) -> list[Bar]:
    lengths = [length for name, length in laps_by_place if name == OURS]
    if not lengths:
        return []
    worst = max(_ratio(laps_by_place, raws, (OURS, length)) for length in lengths)
    full = [median(laps_by_place[OURS, length]) for length in lengths if length > RECENT]
    flat = [
        Bar("turn, slowest length to fastest (those of a full window)", 1.5, max(full) / min(full))
    ]
    core = Bar("turn, core to raw sqlite3, at the worst length", 2, worst)
    return [core, *flat[: len(full) - 1], *_adapter_bars(laps_by_place, raws)]


def _adapter_bars(laps_by_place: Found, raws: Mapping[str, str]) -> list[Bar]:
    ratios = [
        _ratio(laps_by_place, raws, place)
        for place in laps_by_place
        if place[0] == "threadkeep_langchain"
    ]
    name = "turn, LangChain's history class on ours to raw sqlite3, at the worst length"
    return [Bar(name, 4, max(ratios))] if ratios else []


def _names(laps_by_place: Found) -> list[str]:
    return list(dict.fromkeys(name for name, _ in laps_by_place))


def _ratio(laps_by_place: Found, raws: Mapping[str, str], place: Place) -> float:
    name, length = place
    return median(laps_by_place[place]) / median(laps_by_place[raws[name], length])


def _data(laps_by_place: Found) -> list[dict[str, Any]]:
    return [
        {
            "system": name,
            "length": length,
            "turns": len(laps),
            "median": median(laps),
            "p95": p95(laps),
            "append": median(laps, 0),
            "read": median(laps, 1),
        }
        for (name, length), laps in laps_by_place.items()
    ]
