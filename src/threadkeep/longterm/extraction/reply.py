"""What a model answered, as far as it can be understood: fenced, bare, cut off, half wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from threadkeep.longterm.extraction.batch import Batch, Line
from threadkeep.longterm.extraction.prompt import RELATIONS
from threadkeep.types import Json
from threadkeep.types.knowledge import PRIORITIES, Priority

_LONGEST: Final = 100_000
"""Characters of one answer that are looked at."""

_CUTS: Final = 120
"""Places where an answer that was cut off may be closed, from its end: more than an entry has."""

_MOST: Final = 100
"""Entries of one answer that are looked at."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a model believes to have read: nothing that holds before code has looked at it.

    Attributes:
        text: what it says.
        lines: where; never empty, and all of this batch.
        quote: the words, as the model gives them.
        relation: `new`, `same`, `updates` or `contradicts`.
        known: the number of what it relates to.
        confidence: from 0 to 1.
        priority: of an instruction.
        valid_from: of a fact, as it was given.
        valid_to: of a fact, as it was given.
    """

    text: str
    lines: tuple[Line, ...]
    quote: str = ""
    relation: str = "new"
    known: int | None = None
    confidence: float = 0.8
    priority: Priority = "inferred"
    valid_from: str | None = None
    valid_to: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, without what could not be understood of it."""

    facts: list[Candidate] = field(default_factory=list)
    instructions: list[Candidate] = field(default_factory=list)
    summary: str = ""
    topics: tuple[str, ...] = ()
    whole: bool = True


def understood(text: str, batch: Batch) -> Answered | None:
    """What was answered, and whether it came to its end; `None` if it holds no JSON at all."""
    found, whole = parsed(text)
    if isinstance(found, list):  # facts alone
        found = {"facts": found}
    if not isinstance(found, dict):
        return None
    summary = found.get("summary")
    summary = {"text": summary} if isinstance(summary, str) else summary
    told = summary if isinstance(summary, dict) else {}
    topics = told.get("topics") or found.get("topics")
    return Answered(
        _candidates(found.get("facts"), batch),
        _candidates(found.get("instructions"), batch),
        told["text"].strip() if isinstance(told.get("text"), str) else "",
        tuple(topic.strip() for topic in topics if isinstance(topic, str) and topic.strip())[:5]
        if isinstance(topics, list)
        else (),
        whole,
    )


def parsed(text: str) -> tuple[Json, bool]:
    """The first JSON object or array in a text (`None` if none), and whether it is whole.

    One that was cut off is closed behind its last whole entry.
    """
    text = re.sub(r"<think>.*?</think>", "", text[:_LONGEST], flags=re.DOTALL)
    starts = [place for sign in "{[" if (place := text.find(sign)) >= 0]
    for start in sorted(starts):
        try:
            return json.JSONDecoder(strict=False).raw_decode(text[start:])[0], True
        except (ValueError, RecursionError):
            if (found := _closed(text[start:])) is not None:
                return found, False
    return None, False


def _closed(text: str) -> Json:
    """A text that was cut off, closed behind the last entry that is whole."""
    cuts = [place + 1 for place, sign in enumerate(text) if sign in '}]"']
    for cut in reversed(cuts[-_CUTS:]):
        try:
            return json.loads(text[:cut] + _endings(text[:cut]), strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _endings(text: str) -> str:
    """What closes everything that is open."""
    open_, inside, escaped = [], False, False
    for sign in text:
        if inside:
            inside, escaped = sign != '"' or escaped, sign == "\\" and not escaped
        elif sign == '"':
            inside = True
        elif sign in "{[":
            open_.append("}" if sign == "{" else "]")
        elif sign in "}]" and open_:
            open_.pop()
    return ('"' if inside else "") + "".join(reversed(open_))


def _candidates(given: Json, batch: Batch) -> list[Candidate]:
    if not isinstance(given, list):
        return []
    found = (_candidate(one, batch) for one in given[:_MOST] if isinstance(one, dict))
    return [one for one in found if one is not None]


def _candidate(said: Mapping[str, Any], batch: Batch) -> Candidate | None:
    text, numbers = said.get("text"), said.get("items")
    if not isinstance(text, str) or not text.strip():
        return None
    numbers = numbers if isinstance(numbers, list) else [numbers]
    cited = (line for n in numbers if (line := batch.line(_whole(n))) is not None)
    lines = {line.number: line for line in cited}
    if not lines:  # said nowhere
        return None
    relation, known, sure = said.get("relation"), _whole(said.get("known")), said.get("confidence")
    priority = said.get("priority")
    return Candidate(
        " ".join(text.split()),
        tuple(lines.values()),
        quote if isinstance(quote := said.get("quote"), str) else "",
        relation if relation in RELATIONS else "new",
        known if isinstance(known, int) else None,
        float(sure) if isinstance(sure, (int, float)) and 0 <= sure <= 1 else 0.8,
        priority if priority in PRIORITIES else "inferred",
        _date(said.get("valid_from")),
        _date(said.get("valid_to")),
    )


def _date(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _whole(value: object) -> object:
    """A number that a model put in quotes, as a number."""
    if isinstance(value, str) and value.strip().isdigit() and len(value) < 9:
        return int(value)
    return None if isinstance(value, bool) else value
