"""What the readers of data sets make: sessions of a user, and questions with their evidence.

No data set is kept here: each is read from where it lies.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from threadkeep import Memory, User

TURN = re.compile(r"D:?(\d+):(\d+)")
"""How a turn is named: the number of its session, and its own."""


@dataclass(frozen=True)
class Asked:
    """A question: its category, and the ids of the turns that answer it."""

    text: str
    category: int
    evidence: frozenset[str]


@dataclass(frozen=True)
class Conversation:
    """What was said in many sessions of one user, and what was asked about it.

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


@dataclass
class Skipped:
    """What a reader left out, by reason.

    Attributes:
        counts: how many, by reason.
    """

    counts: Counter[str] = field(default_factory=Counter)

    def evidence(self, ids: Iterable[str], turns: set[str]) -> frozenset[str]:
        """Those of the evidence that name a turn; the others are counted."""
        named = set(ids)
        self.counts["evidence that names no turn"] += len(named - turns)
        return frozenset(named & turns)

    def questions(self, asked: Iterable[Asked]) -> list[Asked]:
        """Those that have evidence and words; the others are counted."""
        questions = list(asked)
        answerable = [each for each in questions if each.evidence and each.text.strip()]
        self.counts["questions without evidence"] += len(questions) - len(answerable)
        return answerable

    def __str__(self) -> str:
        """Reasons and counts; what did not happen is not said."""
        return ", ".join(f"{count:,} {reason}" for reason, count in self.counts.items() if count)


@dataclass(frozen=True)
class DataSet:
    """A data set that recall is measured on where its data is there.

    Attributes:
        name: as it is published.
        variable: the variable of the environment that names its file or folder.
        path: what that is: the file or folder of its repository.
        categories: the kinds of questions by number.
        read: its conversations, with what was skipped.
        spaced: whether its words are set apart by spaces.
    """

    name: str
    variable: str
    path: str
    categories: Mapping[int, str]
    read: Callable[[Path, Skipped], list[Conversation]]
    spaced: bool = True


def numbered(names: Iterable[str]) -> dict[int, str]:
    """Categories by number, from 1."""
    return dict(enumerate(names, 1))


def _session(turn: str) -> int:
    return int(turn[1:].partition(":")[0])
