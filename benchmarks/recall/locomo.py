"""LoCoMo's conversations as sessions of users: turns as items, questions with their evidence.

The data is read from where it lies and never kept here; its licence is CC BY-NC 4.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from threadkeep import Memory, User

CATEGORIES: Final = {
    1: "multi-hop",
    2: "temporal",
    3: "open-domain",
    4: "single-hop",
    5: "adversarial",
}
_TURN: Final = re.compile(r"D:?(\d+):(\d+)")


@dataclass(frozen=True)
class Asked:
    """A question: its category, and the ids of the turns that answer it."""

    text: str
    category: int
    evidence: frozenset[str]


@dataclass(frozen=True)
class Conversation:
    """What two people said in many sessions, and what was asked about it.

    Attributes:
        id: of the data set.
        sessions: messages by session number.
        facts: what a model noted, with the turns that it named.
        questions: those whose evidence is in the conversation.
    """

    id: str
    sessions: dict[int, list[dict[str, Any]]]
    facts: list[tuple[str, list[str]]]
    questions: list[Asked]

    def store(self, memory: Memory, *, facts: bool) -> User:
        """Put it into a memory, as the sessions of a user of that name."""
        user = memory.user(self.id)
        for number, messages in self.sessions.items():
            user.session(f"{self.id}/{number}").add(*messages)
        for text, turns in self.facts if facts else ():
            sources = [(f"{self.id}/{_session(turn)}", turn) for turn in turns]
            user.facts.add(text, sources=sources, observed_at=self._when(turns))
        return user

    def _when(self, turns: list[str]) -> datetime | None:
        session_time = self.sessions[_session(turns[0])] if turns else []
        return session_time[0]["created_at"] if session_time else None


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
    return frozenset(f"D{int(a)}:{int(b)}" for a, b in _TURN.findall(text)) & turns


def _session(turn: str) -> int:
    return int(turn[1:].partition(":")[0])
