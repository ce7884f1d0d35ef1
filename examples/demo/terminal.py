"""What the demo prints: headings, aligned rows, one line per message. Plain text, 100 columns."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterable
from typing import Any

from threadkeep import Item

WIDTH = 100
_LABEL = 12


def prepare() -> None:
    """Print whatever a conversation holds, also where the terminal is not in UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace", line_buffering=True)


def heading(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}")


def say(text: str) -> None:
    """A paragraph."""
    print(textwrap.fill(" ".join(text.split()), WIDTH))


def row(label: str, text: object) -> None:
    """A label and what belongs to it, on one line."""
    print(f"  {label:<{_LABEL}}{text}")


def code(text: str) -> None:
    print(textwrap.indent(textwrap.dedent(text).strip("\n"), "    "))


def many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def messages(items: Iterable[Item], *, mark: str = "") -> None:
    """One line per item: who, and how it begins."""
    for item in items:
        print(f"  {line(item, mark=mark)}")


def line(item: Item, *, mark: str = "") -> str:
    who = _clip(_printable(item.name or item.role), _LABEL - 2)
    text_parts = " ".join(part for part in (item.text, _calls(item)) if part)
    if item.metadata.get("synthetic"):
        mark = "(synthetic) "
    return f"{who:<{_LABEL}}{_clip(mark + _printable(text_parts), WIDTH - _LABEL - 2)}"


def _calls(item: Item) -> str:
    return ", ".join(f"calls {call['name']}({_args(call['args'])})" for call in item.tool_calls)


def _args(args: Any) -> str:
    if not isinstance(args, dict):
        return str(args)
    text_parts = (f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in args.items())
    return ", ".join(text_parts)


def _printable(text: str) -> str:
    """One line without control characters, which could steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))


def _clip(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."
