"""How much of a prompt stays the same from turn to turn, which is what prompt caches can serve."""

from __future__ import annotations

import itertools
import json
import os.path
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

import threadkeep
from benchmarks.messages import conversation, pairs
from benchmarks.plan import Plan
from benchmarks.report import Report, Table

_LENGTH: Final = 200  # messages before the first turn: more than any window holds
_TURNS: Final = 200
_LIMITS: Final[list[dict[str, Any]]] = [
    {"max_messages": 20},
    {"max_messages": 20, "step": 0.5},
    {"max_tokens": 3_000},
    {"max_tokens": 3_000, "step": 0.5},
]


class Sameness(NamedTuple):
    """What consecutive prompts have in common.

    Attributes:
        characters: of the prompts' JSON, on average.
        shorter: common prefix by the shorter of two prompts, on average.
        new: common prefixes by the new prompts, in sum.
        moves: in how many turns the beginning changed.
    """

    characters: float
    shorter: float
    new: float
    moves: int


def run(plan: Plan) -> Report:
    """Take 200 turns on one history, with all windows after each."""
    sameness_by_limits = {_named(limits): _sameness(prompts) for limits, prompts in _prompts()}
    rows = [
        [name, f"{s.characters:,.0f}", f"{s.shorter:.1%}", f"{s.new:.1%}", f"{s.moves}"]
        for name, s in sameness_by_limits.items()
    ]
    table = Table(
        f"prefix: what stays the same at the beginning of the prompt, over {_TURNS} turns",
        "Each turn appends 2 messages and takes a window. Two consecutive to_openai() are compared "
        "as JSON texts: the characters of their common prefix by those of the shorter text "
        "(average), and by those of the new text (sum by sum: what a prompt cache could serve). "
        "The history never fits. A system prompt and tool descriptions, which real prompts begin "
        "with, are not there; they would raise every share.",
        ("window", "characters", "of the shorter", "of the new", "front moved"),
        rows,
    )
    return Report([table], data={name: s._asdict() for name, s in sameness_by_limits.items()})


def _prompts() -> list[tuple[Mapping[str, Any], list[str]]]:
    sameness_by_limits: list[tuple[Mapping[str, Any], list[str]]] = [
        (limits, []) for limits in _LIMITS
    ]
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        memory = stack.enter_context(threadkeep.connect(Path(folder, "chat.db")))
        chat = memory.session("prefix")
        chat.add(*conversation(_LENGTH))
        for pair in pairs(_TURNS, seed=5):
            chat.add(*pair)
            for limits, prompts in sameness_by_limits:
                prompts.append(_text(chat.window(**limits).to_openai()))
    return sameness_by_limits


def _text(messages: Sequence[Mapping[str, Any]]) -> str:
    """The messages as JSON, without the bracket that ends the list."""
    return json.dumps(messages, ensure_ascii=False)[:-1]


def _sameness(prompts: Sequence[str]) -> Sameness:
    both = list(itertools.pairwise(prompts))
    common = [len(os.path.commonprefix(pair)) for pair in both]  # noqa: RUF071 (of texts)
    shares = [same / min(map(len, pair)) for same, pair in zip(common, both, strict=True)]
    news = [len(new) for _, new in both]
    return Sameness(
        characters=sum(news) / len(news),
        shorter=sum(shares) / len(shares),
        new=sum(common) / sum(news),
        moves=sum(share < 1 for share in shares),
    )


def _named(limits: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key}={value}" for key, value in {**limits, "step": limits.get("step", 0)}.items()
    )
