"""MemDaily: what people tell an assistant of their days, in Chinese, with questions.

The shape is that of `data_generation/final_dataset/memdaily.json` in the repository
nuster1128/MemSim: by kind of question and by scenario, lists of trajectories with a `message_list`
(`mid`, `message`, `time`, `place`) and `QA` (`question`, `target_step_id`). A trajectory has some
ten messages, so twenty of them make up one user, each as a session.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.recall.conversations import Asked, Conversation, DataSet, Skipped, numbered

_POOLED: Final = 20
_TIME: Final = re.compile(r"(\d+)年(\d+)月(\d+)日\D*(\d+):(\d+)")
_KINDS: Final = (
    "simple", "conditional", "comparative", "aggregative", "post_processing", "noisy"
)  # fmt: skip


def read(path: Path, skipped: Skipped) -> list[Conversation]:
    """The trajectories of a file, twenty to a user."""
    kinds = json.loads(path.read_text("utf-8"))
    skipped.counts["kinds of questions that are unknown"] += len(kinds.keys() - set(_KINDS))
    conversations = []
    for number, kind in enumerate(_KINDS, 1):
        trajectories = list(_trajectories(kinds.get(kind), skipped))
        for start in range(0, len(trajectories), _POOLED):
            pool = trajectories[start : start + _POOLED]
            conversations.append(_conversation(f"{kind}-{start}", number, pool, skipped))
    return conversations


def _trajectories(scenarios: dict[str, Any] | None, skipped: Skipped) -> Iterator[dict[str, Any]]:
    for trajectory in (each for some in (scenarios or {}).values() for each in some or ()):
        if trajectory.get("message_list") and isinstance(trajectory.get("QA"), dict):
            yield trajectory
        else:
            skipped.counts["trajectories without messages or a question"] += 1


def _conversation(
    id: str, category: int, pool: Iterable[dict[str, Any]], skipped: Skipped
) -> Conversation:
    sessions, asked = {}, []
    for number, trajectory in enumerate(pool, 1):
        sessions[number] = list(_messages(number, trajectory["message_list"], skipped))
        turns = {message["id"] for message in sessions[number]}
        qa = trajectory["QA"]
        steps = [f"D{number}:{step}" for step in qa.get("target_step_id") or ()]
        evidence = skipped.evidence(steps, turns)
        asked.append(Asked(str(qa.get("question") or ""), category, evidence))
    filled = {number: messages for number, messages in sessions.items() if messages}
    return Conversation(id, filled, [], skipped.questions(asked))


def _messages(
    session: int, messages: list[dict[str, Any]], skipped: Skipped
) -> Iterator[dict[str, Any]]:
    for message in messages:
        if not message.get("message") or not isinstance(message.get("mid"), int):
            skipped.counts["messages without words or number"] += 1
            continue
        time = _time(message.get("time"), skipped)
        said = {
            "id": f"D{session}:{message['mid']}",
            "role": "user",
            "content": message["message"],
        }
        yield said | {"created_at": time} if time else said


def _time(text: str | None, skipped: Skipped) -> datetime | None:
    found = _TIME.match(str(text))
    try:
        if found:
            year, month, day, hour, minute = map(int, found.groups())
            return datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        pass
    skipped.counts["times that cannot be read"] += 1
    return None


DATA_SET: Final = DataSet(
    "MemDaily", "THREADKEEP_MEMDAILY", "memdaily.json", numbered(_KINDS), read, spaced=False
)
