"""What the tests of the kept index share: small segments, and a look into what is stored."""

from __future__ import annotations

from threadkeep.core import write_counts
from threadkeep.longterm.recall import sync
from threadkeep.longterm.recall.query_user import Recall
from threadkeep.longterm.recall.segments import pieces, segment_plan
from threadkeep.sessions import recall_segments
from threadkeep.types import Query

LEVELS = (4, 16, 64, 256)


def small_segments(monkeypatch):
    """Segments of a few items, and of every user."""
    monkeypatch.setattr(segment_plan, "LEVELS", LEVELS)
    monkeypatch.setattr(segment_plan, "MIN_ITEMS", 4)
    monkeypatch.setattr(sync, "MIN_ITEMS", 4)
    monkeypatch.setattr(write_counts, "NEXT", 4)


def heads(memory, user="ada"):
    return recall_segments.read(memory._engine, user)


def piece_records(memory, user="ada"):
    stream = recall_segments.stream(memory._engine, user)
    return memory._engine.read(Query(stream, recall_segments.PIECE))[0].records


def kept_text(memory, user="ada"):
    """Everything that can be read in the pieces, taken out of their compression."""
    contents = {record.id: pieces.content_of(record) for record in piece_records(memory, user)}
    text = []
    for head in heads(memory, user).segments:
        columns = b"".join(contents.pop(f"{head.id}.{n}", b"") for n in range(head.columns))
        text += pieces.parts_of(columns) if columns else []
    for content in contents.values():
        text += pieces.parts_of(content)
    return b"\n".join(text).decode("utf-8", "replace")


def forget_index(memory, user="ada"):
    """As a new process: nothing is in memory."""
    memory._engine.component(Recall).forget_user(user)


def found(user, question, **filters):
    return [
        (hit.session, hit.text, round(hit.score, 9)) for hit in user.recall(question, **filters)
    ]


def found_anew(memory, question, user="ada", **filters):
    """What an index says that was built of the items alone."""
    forget_index(memory, user)
    synced, _ = memory._engine.component(Recall)._index_of(user)
    synced.ignore_segments()
    answer = found(memory.user(user), question, **filters)
    forget_index(memory, user)
    return answer
