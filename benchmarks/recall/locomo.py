"""LoCoMo's conversations as sessions of users: turns as items, questions with their evidence.

The data is read from where it lies and never kept here; its licence is CC BY-NC 4.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.recall.conversations import TURN, Asked, Conversation

CATEGORIES: Final = {
    1: "multi-hop",
    2: "temporal",
    3: "open-domain",
    4: "single-hop",
    5: "adversarial",
}


def read(path: Path) -> list[Conversation]:
    """The conversations of a file of the data set."""
    return [_conversation(data) for data in json.loads(path.read_text("utf-8"))]


def _conversation(data: dict[str, Any]) -> Conversation:
    dialogue = data["conversation"]
    numbers = sorted(int(key[8:]) for key in dialogue if re.fullmatch(r"session_\d+", key))
    sessions = {number: list(_messages(dialogue, number)) for number in numbers}
    turns = {message["id"] for messages in sessions.values() for message in messages}
    questions = (
        Asked(q["question"], q["category"], _ids(q["evidence"], turns)) for q in data["qa"]
    )
    notes = (
        (note[0], sorted(_ids(note[1], turns)))
        for session in data["observation"].values()
        for speaker in session.values()
        for note in speaker
    )
    return Conversation(
        data["sample_id"],
        sessions,
        list(notes),
        [question for question in questions if question.evidence],
    )


def _messages(dialogue: dict[str, Any], number: int) -> Iterator[dict[str, Any]]:
    """Turns as messages; what is said of a picture stands behind the words."""
    session_time = dialogue[f"session_{number}_date_time"]
    at = datetime.strptime(session_time, "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
    for turn in dialogue[f"session_{number}"]:
        words = [turn["text"], turn.get("blip_caption") or ""]
        yield {
            "id": turn["dia_id"],
            "role": "user",
            "name": turn["speaker"],
            "content": "\n".join(filter(None, words)),
            "created_at": at,
        }


def _ids(evidence: list[str] | str, turns: set[str]) -> frozenset[str]:
    text = evidence if isinstance(evidence, str) else " ".join(evidence)
    return frozenset(f"D{int(a)}:{int(b)}" for a, b in TURN.findall(text)) & turns
