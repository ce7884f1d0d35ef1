"""What a model answered, as far as it can be understood: fenced, bare, cut off, half wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from threadkeep.longterm.extraction.batch import Batch, TranscriptLine
from threadkeep.longterm.extraction.prompt import RELATIONS
from threadkeep.types import Json
from threadkeep.types.states import PRIORITIES, Priority

_MAX_CHARACTERS: Final = 100_000
"""Characters of one answer that are looked at."""

_CUTS: Final = 120
"""Places where an answer that was cut off may be closed, from its end: more than an entry has."""

_MAX_ENTRIES: Final = 100
"""Entries of one answer that are looked at."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a model believes to have read: nothing that holds before code has looked at it.

    Attributes:
        text: what it says.
        lines: where; never empty, and all of this batch.
        quote: the words, as the model gives them.
        relation: `new`, `same`, `updates` or `contradicts`.
        related_number: the number of what it relates to.
        confidence: from 0 to 1.
        priority: of an instruction.
        valid_from: of a fact, as it was given.
        valid_to: of a fact, as it was given.
    """

    text: str
    lines: tuple[TranscriptLine, ...]
    quote: str = ""
    relation: str = "new"
    related_number: int | None = None
    confidence: float = 0.8
    priority: Priority = "inferred"
    valid_from: str | None = None
    valid_to: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedReply:
    """An answer, without what could not be understood of it.

    Attributes:
        uncited: kind and text of what cites no message that there is.
    """

    facts: list[Candidate] = field(default_factory=list)
    instructions: list[Candidate] = field(default_factory=list)
    summary: str = ""
    topics: tuple[str, ...] = ()
    complete: bool = True
    uncited: tuple[tuple[str, str], ...] = ()


def parse_reply(text: str, batch: Batch) -> ParsedReply | None:
    """What was answered, and whether it came to its end; `None` if it holds no JSON at all."""
    reply_value, is_complete = parse_json(text)
    reply_fields = {"facts": reply_value} if isinstance(reply_value, list) else reply_value
    if not isinstance(reply_fields, dict):
        return None
    raw_summary = reply_fields.get("summary")
    summary_value = {"text": raw_summary} if isinstance(raw_summary, str) else raw_summary
    summary_fields = summary_value if isinstance(summary_value, dict) else {}
    raw_topics = summary_fields.get("topics") or reply_fields.get("topics")
    return ParsedReply(
        _candidates(reply_fields.get("facts"), batch),
        _candidates(reply_fields.get("instructions"), batch),
        summary_fields["text"].strip() if isinstance(summary_fields.get("text"), str) else "",
        tuple(topic.strip() for topic in raw_topics if isinstance(topic, str) and topic.strip())[:5]
        if isinstance(raw_topics, list)
        else (),
        is_complete,
        tuple(
            (entry_kind, uncited_text)
            for entry_kind in ("fact", "instruction")
            for uncited_text in _uncited(reply_fields.get(f"{entry_kind}s"), batch)
        ),
    )


def parse_json(text: str) -> tuple[Json, bool]:
    """The first JSON object or array in a text (`None` if none), and whether it is whole.

    One that was cut off is closed behind its last whole entry.
    """
    text = re.sub(r"<think>.*?</think>", "", text[:_MAX_CHARACTERS], flags=re.DOTALL)
    start_indexes = [position for bracket in "{[" if (position := text.find(bracket)) >= 0]
    for start_index in sorted(start_indexes):
        try:
            return json.JSONDecoder(strict=False).raw_decode(text[start_index:])[0], True
        except (ValueError, RecursionError):
            if (repaired_document := _repair_truncated(text[start_index:])) is not None:
                return repaired_document, False
    return None, False


def _repair_truncated(text: str) -> Json:
    """A text that was cut off, closed behind the last entry that is whole."""
    end_indexes = [index + 1 for index, character in enumerate(text) if character in '}]"']
    for end_index in reversed(end_indexes[-_CUTS:]):
        try:
            return json.loads(text[:end_index] + _closing_brackets(text[:end_index]), strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _closing_brackets(text: str) -> str:
    """What closes everything that is open."""
    closers, is_inside_string, is_escaped = [], False, False
    for character in text:
        if is_inside_string:
            is_inside_string, is_escaped = (
                character != '"' or is_escaped,
                character == "\\" and not is_escaped,
            )
        elif character == '"':
            is_inside_string = True
        elif character in "{[":
            closers.append("}" if character == "{" else "]")
        elif character in "}]" and closers:
            closers.pop()
    return ('"' if is_inside_string else "") + "".join(reversed(closers))


def _candidates(raw_entries: Json, batch: Batch) -> list[Candidate]:
    if not isinstance(raw_entries, list):
        return []
    candidates = (
        _candidate(entry, batch) for entry in raw_entries[:_MAX_ENTRIES] if isinstance(entry, dict)
    )
    return [candidate for candidate in candidates if candidate is not None]


def _uncited(raw_entries: Json, batch: Batch) -> list[str]:
    if not isinstance(raw_entries, list):
        return []
    uncited_texts = (
        entry.get("text")
        for entry in raw_entries[:_MAX_ENTRIES]
        if isinstance(entry, dict) and _candidate(entry, batch) is None
    )
    return [
        " ".join(text.split()) for text in uncited_texts if isinstance(text, str) and text.strip()
    ]


def _candidate(entry_fields: Mapping[str, Any], batch: Batch) -> Candidate | None:
    candidate_text, raw_numbers = entry_fields.get("text"), entry_fields.get("items")
    if not isinstance(candidate_text, str) or not candidate_text.strip():
        return None
    line_numbers = raw_numbers if isinstance(raw_numbers, list) else [raw_numbers]
    line_by_number = {
        line.number: line
        for line_number in line_numbers
        if (line := batch.line(_unquoted_number(line_number))) is not None
    }
    if not line_by_number:  # said nowhere
        return None
    relation = entry_fields.get("relation")
    related_number = _unquoted_number(entry_fields.get("known"))
    confidence = entry_fields.get("confidence")
    priority = entry_fields.get("priority")
    return Candidate(
        " ".join(candidate_text.split()),
        tuple(line_by_number.values()),
        quote if isinstance(quote := entry_fields.get("quote"), str) else "",
        relation if relation in RELATIONS else "new",
        related_number if isinstance(related_number, int) else None,
        float(confidence) if isinstance(confidence, (int, float)) and 0 <= confidence <= 1 else 0.8,
        priority if priority in PRIORITIES else "inferred",
        _date(entry_fields.get("valid_from")),
        _date(entry_fields.get("valid_to")),
    )


def _date(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _unquoted_number(value: object) -> object:
    """A number that a model put in quotes, as a number."""
    if isinstance(value, str) and value.strip().isdigit() and len(value) < 9:
        return int(value)
    return None if isinstance(value, bool) else value
