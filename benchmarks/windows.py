"""What a window costs at 10,000 messages, by policy and by the size of the first page."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import threadkeep
from benchmarks.messages import conversation
from benchmarks.plan import Plan
from benchmarks.report import Report, Table, micros
from benchmarks.timing import Laps, interleaved, median, timed
from threadkeep import policies

_LENGTH: Final = 10_000
_POLICIES: Final = {
    "max_messages(20)": policies.max_messages(20),
    "max_messages(20, step=0.5)": policies.max_messages(20, step=0.5),
    "max_tokens(3000)": policies.max_tokens(3_000),
    "max_tokens(3000, step=0.5)": policies.max_tokens(3_000, step=0.5),
    "max_turns(10)": policies.max_turns(10),
}
_PAGES: Final = (16, 24, 32, 64, 128)
_READ: Final = "read"  # items of a first page, without a policy
_JSON: Final = "to_openai"

Key = tuple[str, int]


def run(plan: Plan) -> Report:
    """Take all windows by turns on one history."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        memory = stack.enter_context(threadkeep.connect(Path(folder, "chat.db")))
        chat = memory.session("long")
        chat.add(*conversation(_LENGTH))
        calls = {key: timed(call) for key, call in _calls(chat).items()}
        laps_by_key = interleaved(calls, plan.many(80))
        kept_counts = {name: len(chat.window(policy=p)) for name, p in _POLICIES.items()}
    rows = [_row(name, laps_by_key, kept_counts) for name in (_READ, *_POLICIES)]
    table = Table(
        f"windows: chat.window() at {_LENGTH:,} messages, by the first page",
        "Median microseconds. The columns in numbers: how many items the first read asks for "
        "(Budget.reach). default: as the policy comes, with that number. to_openai: on top, for "
        "the window of the default. read: chat.items(last=), no policy, for comparison. Texts "
        "that a token counter has met before are counted from its memory.",
        ("policy", "kept", *map(str, _PAGES), "default", "to_openai"),
        rows,
    )
    data = {f"{name}, {page}": median(laps) for (name, page), laps in laps_by_key.items()}
    return Report([table], data=data)


def _calls(chat: threadkeep.Session) -> Mapping[Key, Callable[[int], object]]:
    calls: dict[Key, Callable[[int], object]] = {}
    for page in _PAGES:
        calls[_READ, page] = lambda _, n=page: chat.items(last=n)  # type: ignore[misc]
        for name, policy in _POLICIES.items():
            sized = dataclasses.replace(policy, reach=page)
            calls[name, page] = lambda _, p=sized: chat.window(policy=p)  # type: ignore[misc]
    for name, policy in _POLICIES.items():
        window = chat.window(policy=policy)
        calls[name, 0] = lambda _, p=policy: chat.window(policy=p)  # type: ignore[misc]
        calls[_JSON + name, 0] = lambda _, w=window: w.to_openai()  # type: ignore[misc]
    return calls


def _row(
    name: str, laps_by_key: Mapping[Key, list[Laps]], kept_counts: Mapping[str, Any]
) -> list[str]:
    pages = [micros(median(laps_by_key[name, page])) for page in _PAGES]
    if name == _READ:
        return [name, "-", *pages, "-", "-"]
    default = f"{micros(median(laps_by_key[name, 0]))} ({_POLICIES[name].reach})"
    return [
        name,
        str(kept_counts[name]),
        *pages,
        default,
        micros(median(laps_by_key[_JSON + name, 0])),
    ]
