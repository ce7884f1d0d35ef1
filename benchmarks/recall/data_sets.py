"""Data sets beside LoCoMo, on which nothing was tuned: the same table for each that is there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from benchmarks.recall import baselines, beam, evidence, intervals, memdaily, realtalk
from benchmarks.recall.conversations import Conversation, DataSet, Skipped
from benchmarks.recall.evidence import Measured
from threadkeep.window import tokens

DATA_SETS: Final = (realtalk.DATA_SET, memdaily.DATA_SET, beam.DATA_SET)


def report(data_set: DataSet, url: str) -> None:
    """Measure and print, where the environment names the data."""
    path = os.environ.get(data_set.variable)
    if not path or not Path(path).exists():
        missing = f"{path} is not there" if path else "not named"
        print(f"\nNo {data_set.name}: {missing}; {data_set.variable} names {data_set.path}")
        return
    skipped = Skipped()
    conversations = data_set.read(Path(path), skipped)
    print(f"\n{data_set.name}: {_size(conversations)}; skipped: {skipped or 'nothing'}\n")
    if any(conversation.questions for conversation in conversations):
        rows = _measure(data_set, conversations, url)
        print(evidence.table(rows, data_set.categories, data_set.name), end="\n\n")
        pairs = {f"{name} -> words": (row, rows["words"]) for name, row in rows.items()}
        del pairs["words -> words"]
        print(intervals.table(pairs), end="\n\n", flush=True)


def _measure(data_set: DataSet, conversations: list[Conversation], url: str) -> dict[str, Measured]:
    rows = {"words": evidence.measure(url, conversations, count=tokens.default())}
    for name, build in baselines.ways(spaced=data_set.spaced).items():
        rows[name] = baselines.measure(build, conversations)
    return rows


def _size(conversations: list[Conversation]) -> str:
    turns = sum(len(some) for each in conversations for some in each.sessions.values())
    questions = sum(len(each.questions) for each in conversations)
    return f"{len(conversations):,} conversations, {turns:,} turns, {questions:,} questions"
