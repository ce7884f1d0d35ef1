"""REALTALK: what ten pairs of people wrote to each other in 21 days, with questions.

The shape is that of `data/Chat_*.json` in the repository danny911kr/REALTALK, and is LoCoMo's with
other keys: `name`; `session_1`, `session_2` and so on, lists of turns with `clean_text`, `speaker`,
`dia_id` and `date_time`; `qa` with `question`, `evidence` and `category`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.recall.conversations import TURN, Asked, Conversation, DataSet, Skipped

_TIMES: Final = ("%d.%m.%Y, %H:%M:%S", "%d.%m.%Y, %H:%M")


def read(folder: Path, skipped: Skipped) -> list[Conversation]:
    """The conversations of a folder, in the order of their files' names."""
    conversations = []
    for path in sorted(folder.glob("*.json")):
        chat = json.loads(path.read_text("utf-8"))
        if isinstance(chat, dict) and isinstance(chat.get("qa"), list):
            conversations.append(_conversation(path.stem, chat, skipped))
        else:
            skipped.counts["files without qa"] += 1
    return conversations


def _conversation(id: str, chat: dict[str, Any], skipped: Skipped) -> Conversation:
    numbers = sorted(int(key[8:]) for key in chat if re.fullmatch(r"session_\d+", key))
    sessions = {n: list(_messages(chat[f"session_{n}"], skipped)) for n in numbers}
    turns = {message["id"] for messages in sessions.values() for message in messages}
    questions = skipped.questions(
        Asked(
            str(q.get("question") or ""),
            q.get("category", 0),
            skipped.evidence(_ids(q.get("evidence")), turns),
        )
        for q in chat["qa"]
    )
    filled = {n: messages for n, messages in sessions.items() if messages}
    return Conversation(id, filled, [], questions)


def _messages(turns: list[dict[str, Any]], skipped: Skipped) -> Iterator[dict[str, Any]]:
    for turn in turns:
        name, text = TURN.fullmatch(str(turn.get("dia_id"))), turn.get("clean_text")
        if name is None or not text:  # a picture alone, for the most part
            skipped.counts["turns without words or id"] += 1
            continue
        message = {
            "id": f"D{int(name[1])}:{int(name[2])}",
            "role": "user",
            "name": turn.get("speaker"),
            "content": text,
            "created_at": _time(turn.get("date_time"), skipped),
        }
        yield {key: value for key, value in message.items() if value is not None}


def _time(text: str | None, skipped: Skipped) -> datetime | None:
    for form in _TIMES:
        try:
            return datetime.strptime(str(text), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    skipped.counts["times that cannot be read"] += 1
    return None


def _ids(evidence: list[str] | str | None) -> list[str]:
    text = evidence if isinstance(evidence, str) else " ".join(map(str, evidence or ()))
    return [f"D{int(session)}:{int(turn)}" for session, turn in TURN.findall(text)]


DATA_SET: Final = DataSet(
    "REALTALK",
    "THREADKEEP_REALTALK",
    "data, a folder of Chat_*.json",
    {1: "multi-hop", 2: "temporal", 3: "open-domain"},
    read,
)
