"""The conversations that are measured, the same at every run, in the shape of OpenAI Chat."""

from __future__ import annotations

import functools
import json
import random
from typing import Any, Final

Message = dict[str, Any]

_VOCABULARY: Final = """
    the a of to and in is it that for on with as was be by at from or an this are not but have we
    you they can will would should could about which when what where how there their more session
    memory store window token model prompt answer question tool result user reply time order price
    ticket flight hotel invoice customer account address delivery refund café naïve — “quoted” 12
    2024 3.5 please thanks yes no maybe first next last same other because before after again only
"""
_TEXT: Final = 1 << 20


def conversation(count: int, seed: int = 2) -> list[Message]:
    """Messages of about 400 characters, one in ten a tool output of 4 kB right after its call."""
    return [message for pair in pairs((count + 1) // 2, seed) for message in pair][:count]


def pairs(count: int, seed: int = 2) -> list[tuple[Message, Message]]:
    """What is appended at once: a question with its answer; every fifth, a tool call and result."""
    dice = random.Random(seed)
    return [_called(dice) if n % 5 == 4 else _said(dice) for n in range(count)]


def plain(count: int, length: int, seed: int = 2) -> list[Message]:
    """Questions and answers of so many characters each, no tools."""
    dice = random.Random(seed)
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": _cut(dice, length)} for n in range(count)]


def compact(message: Message) -> str:
    """The message as compact JSON: what storage is compared with."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def _said(dice: random.Random) -> tuple[Message, Message]:
    return (
        {"role": "user", "content": _cut(dice, dice.randint(250, 550))},
        {"role": "assistant", "content": _cut(dice, dice.randint(250, 550))},
    )


def _called(dice: random.Random) -> tuple[Message, Message]:
    name = f"call_{dice.randbytes(12).hex()}"
    arguments = json.dumps({"query": _cut(dice, 40), "limit": 10})
    call = {"id": name, "type": "function", "function": {"name": "search", "arguments": arguments}}
    return (
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": name, "content": _hits(dice)},
    )


def _hits(dice: random.Random) -> str:
    """A tool output: JSON in a text of about 4 kB."""
    hits = [{"rank": n, "score": dice.random(), "text": _cut(dice, 350)} for n in range(10)]
    return json.dumps(hits, ensure_ascii=False)


def _cut(dice: random.Random, length: int) -> str:
    start = dice.randrange(_TEXT - length)
    return _text()[start : start + length]


@functools.cache
def _text() -> str:
    words = random.Random(1).choices(_VOCABULARY.split(), k=_TEXT // 4)
    lines = (" ".join(words[n : n + 40]) for n in range(0, len(words), 40))
    return "\n".join(lines)[:_TEXT]
