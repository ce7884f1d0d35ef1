"""Bytes on disk per message, beside the bytes of its compact JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from benchmarks.messages import Message, compact, conversation, plain
from benchmarks.plan import Plan
from benchmarks.report import Bar, Report, Table, times
from benchmarks.systems import ON_SERVERS, OURS, System

Share = Mapping[str, float]

_MIX: Final = "the mix"
_SESSION: Final = 100  # messages in each session
_KINDS: Final[dict[str, Callable[[int], list[Message]]]] = {
    "60 characters": lambda count: plain(count, 60),
    "400 characters": lambda count: plain(count, 400),
    "4,000 characters": lambda count: plain(count, 4_000),
    _MIX: conversation,
}
_BYTES: Final = 1_000_000
_SLOW: Final = 10_000  # systems whose `longest` is below this are not waited for


def run(plan: Plan) -> Report:
    """Fill each system with messages of each kind, two by two."""
    shares_by_kind = {kind: _shares(plan, kind) for kind in _KINDS}
    names = [
        name for name in plan.systems if any(name in shares for shares in shares_by_kind.values())
    ]
    table = Table(
        "storage: bytes on disk per byte of compact JSON",
        "Size of all files after closing, divided by the bytes of the messages as compact JSON "
        f"(UTF-8); appended two by two, {_SESSION} to a session. The mix: about 400 characters, "
        "one in ten a tool output of 4 kB. On servers, of the mix alone: tables with their "
        "indexes, or the memory of the keys.",
        ("system", *shares_by_kind),
        [
            [name, *(_cell(shares.get(name)) for shares in shares_by_kind.values())]
            for name in names
        ],
    )
    bars = [
        Bar(f"storage to compact JSON, {kind}", 1.5, shares[OURS])
        for kind, shares in shares_by_kind.items()
        if OURS in shares
    ]
    return Report([table], bars, shares_by_kind)


def _cell(share: float | None) -> str:
    return "-" if share is None else times(share)


def _shares(plan: Plan, kind: str) -> Share:
    make = _KINDS[kind]
    message_size = sum(len(compact(message).encode()) for message in make(100)) // 100
    messages = make(plan.many(_BYTES) // message_size // 2 * 2)
    json = sum(len(compact(message).encode()) for message in messages)
    with plan.opened() as systems:
        waited = {name: one for name, one in systems.items() if _waited(name, one, kind)}
        sizes = {name: _filled(system, messages) for name, system in waited.items()}
    return {name: size / json for name, size in sizes.items() if size is not None}


def _waited(name: str, system: System, kind: str) -> bool:
    """There a commit is a round trip, and short messages are many; so only a few kinds."""
    return kind == _MIX if name in ON_SERVERS else system.longest > _SLOW


def _filled(system: System, messages: list[Message]) -> int | None:
    if system.size() is None:
        return None  # nothing ever is
    for start in range(0, len(messages), 2):
        system.append(f"session {start // _SESSION}", messages[start : start + 2])
    system.close()
    return system.size()
