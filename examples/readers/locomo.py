"""LoCoMo, long conversations of two people over many sessions (snap-research/LoCoMo).

The first speaker takes the role of the user, the second that of the assistant; all sessions of a
conversation become one. A turn is dated by its session, a second after the turn before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from examples.readers.entries import (
    Conversation,
    Entry,
    Message,
    conversation,
    expect,
    malformed,
)

_DATE = "%I:%M %p on %d %B, %Y"
_TURN = frozenset({"speaker", "dia_id", "text"})


def recognises(value: object) -> bool:
    """True for an object whose `conversation` names two speakers."""
    talk = value.get("conversation") if isinstance(value, dict) else None
    return isinstance(talk, dict) and "speaker_a" in talk and "speaker_b" in talk


def conversations(entries: list[Entry]) -> Iterator[Conversation]:
    """One conversation per sample."""
    for entry in entries:
        sample = expect(entry.value, dict, entry.at)
        at = f"{entry.at}.conversation"
        talk = expect(sample.get("conversation"), dict, at)
        first = expect(talk.get("speaker_a"), str, f"{at}.speaker_a")
        second = expect(talk.get("speaker_b"), str, f"{at}.speaker_b")
        yield conversation(
            entry,
            _messages(talk, {first: "user", second: "assistant"}, at),
            id=str(sample.get("sample_id") or entry.id),
            title=f"{first} and {second}",
            user=first,
            speakers=(first, second),
        )


def _messages(talk: Mapping[str, Any], roles: Mapping[str, str], at: str) -> Iterator[Message]:
    for number in _sessions(talk):
        begin = _begin(talk, number, at)
        turns = expect(talk[f"session_{number}"], list, f"{at}.session_{number}")
        for position, turn in enumerate(turns):
            place = f"{at}.session_{number}[{position}]"
            said_at = (begin + timedelta(seconds=position)).isoformat()
            defaults = {"created_at": said_at, "metadata": {"session": number}}
            yield _message(expect(turn, dict, place), roles, defaults, place)


def _sessions(talk: Mapping[str, Any]) -> list[int]:
    """The numbers of the sessions there are; some have a date only."""
    return sorted(int(key[8:]) for key in talk if re.fullmatch(r"session_\d+", key))


def _begin(talk: Mapping[str, Any], number: int, at: str) -> datetime:
    key = f"session_{number}_date_time"
    text = expect(talk.get(key), str, f"{at}.{key}")
    try:
        return datetime.strptime(text, _DATE).replace(tzinfo=UTC)
    except ValueError:
        malformed(f"{at}.{key}", f"must be a date like '1:05 pm on 8 May, 2023', is {text!r}")


def _message(
    turn: Mapping[str, Any], roles: Mapping[str, str], defaults: Message, at: str
) -> Message:
    """One turn; the picture shared in it (its address, caption, query) stays in the metadata."""
    speaker, dia_id, text = (
        expect(turn.get(key), str, f"{at}.{key}") for key in ("speaker", "dia_id", "text")
    )
    if speaker not in roles:
        malformed(f"{at}.speaker", f"{speaker!r} is none of {', '.join(roles)}")
    rest = {key: value for key, value in turn.items() if key not in _TURN}
    return {
        "role": roles[speaker],
        "name": speaker,
        "content": text,
        "id": dia_id,
        "created_at": defaults["created_at"],
        "metadata": {**defaults["metadata"], **rest},
    }
