"""BEAM: long conversations of a user with an assistant, with questions on ten abilities.

The shape is that of a folder such as `chats/100K` in the repository mohammadtavakoli78/BEAM: for
each conversation a folder with `chat.json`, a list of batches with `turns`, which are lists of
messages (`role`, `id`, `content`, here and there `time_anchor`); and with
`probing_questions/probing_questions.json`, by ability lists of questions, whose `source_chat_ids`
are a list of ids or lists by name. Questions to abstain from have none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.recall.conversations import Asked, Conversation, DataSet, Skipped, numbered

_ABILITIES: Final = (
    "abstention", "contradiction_resolution", "event_ordering", "information_extraction",
    "instruction_following", "knowledge_update", "multi_session_reasoning",
    "preference_following", "summarization", "temporal_reasoning",
)  # fmt: skip
_PLAN: Final = re.compile(r"\s*->->\s*[\d,]+\s*$")
"""What the makers of the data left behind a question: its place in their plan."""


def read(folder: Path, skipped: Skipped) -> list[Conversation]:
    """The conversations of a folder, in the order of their numbers."""
    conversations = []
    paths = [path for path in folder.iterdir() if path.is_dir()]
    for path in sorted(paths, key=lambda path: (len(path.name), path.name)):
        chat, questions = path / "chat.json", path / "probing_questions/probing_questions.json"
        if chat.exists() and questions.exists():
            conversations.append(_conversation(path.name, _json(chat), _json(questions), skipped))
        else:
            skipped.counts["folders without a chat or questions"] += 1
    return conversations


def _conversation(
    id: str, batches: list[dict[str, Any]], probing: dict[str, Any], skipped: Skipped
) -> Conversation:
    sessions = {n: list(_messages(n, batch, skipped)) for n, batch in enumerate(batches, 1)}
    places = {
        _number(message["id"]): message["id"] for some in sessions.values() for message in some
    }
    skipped.counts["abilities that are unknown"] += len(probing.keys() - set(_ABILITIES))
    asked = (
        Asked(
            str(question.get("question") or ""),
            number,
            skipped.evidence(
                (places.get(source, f"D0:{source}") for source in _ids(question)),
                set(places.values()),
            ),
        )
        for number, ability in enumerate(_ABILITIES, 1)
        for question in probing.get(ability) or ()
    )
    filled = {n: messages for n, messages in sessions.items() if messages}
    return Conversation(f"beam-{id}", filled, [], skipped.questions(asked))


def _messages(number: int, batch: dict[str, Any], skipped: Skipped) -> Iterator[dict[str, Any]]:
    """A batch's messages; the day that one names goes for those behind it as well."""
    day: datetime | None = None
    for message in (message for turn in batch.get("turns") or () for message in turn):
        if not isinstance(message.get("id"), int) or not message.get("content"):
            skipped.counts["messages without words or id"] += 1
            continue
        day = _day(message.get("time_anchor"), skipped) or day
        said = {
            "id": f"D{number}:{message['id']}",
            "role": message.get("role", "user"),
            "content": _PLAN.sub("", message["content"]),
        }
        yield said | {"created_at": day} if day else said


def _day(anchor: str | None, skipped: Skipped) -> datetime | None:
    if not anchor:
        return None
    try:
        return datetime.strptime(anchor, "%B-%d-%Y").replace(tzinfo=UTC)
    except ValueError:
        skipped.counts["days that cannot be read"] += 1
        return None


def _ids(question: dict[str, Any]) -> list[int]:
    """The numbers of messages, in whatever lists and dicts they lie."""
    pending, ids = [question.get("source_chat_ids")], []
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, int):
            ids.append(value)
    return ids


def _number(id: str) -> int:
    return int(id.partition(":")[2])


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


DATA_SET: Final = DataSet(
    "BEAM", "THREADKEEP_BEAM", "a folder such as chats/100K", numbered(_ABILITIES), read
)
