r"""The stored documents: one per stream (its head) and one per record, in one collection.

A head, whose `_id` is `s:<stream>`:
    v  version                  c  number of commits in all generations, never reset
    q  last seq                 f  floor: records up to it are of past generations
    x  when it expires          g  when it was dropped, by a real clock (a tombstone)
    l  the ttl that led to it
    t  last token               n  number of commits after it
    p  pending operations, perhaps not yet applied, oldest first
    z  true: records up to the floor may still exist

A record, whose `_id` is `r:<stream>\0<kind>\0<id>`:
    s, k, i  stream, kind, id   q  seq      r  revision: twice the `c` of the commit that wrote it,
    b  body   a  at             x  expires     and one more for a put, so that it follows its drop
    g  when it was dropped, by a real clock: a delayed writer may not restore it

Fields without a value are absent, which keeps the sparse indexes small.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo import ASCENDING, IndexModel
from pymongo.collection import Collection

from threadkeep.types import Query, Record

Document = dict[str, Any]
Store = Collection[Document]

GRACE: Final = 3600.0
"""Seconds for which tombstones are kept: longer than any call may take."""

INDEXES: Final = (
    IndexModel([("s", ASCENDING), ("k", ASCENDING), ("q", ASCENDING)], sparse=True, name="tk_seq"),
    IndexModel([("x", ASCENDING)], sparse=True, name="tk_expires"),
    IndexModel([("g", ASCENDING)], sparse=True, name="tk_dropped"),
    IndexModel([("z", ASCENDING)], sparse=True, name="tk_floor"),
)


def head_id(stream: str) -> str:
    return f"s:{stream}"


def record_id(stream: str, kind: str, id: str) -> str:
    return f"r:{stream}\0{kind}\0{id}"


def live(head: Mapping[str, Any] | None, now: float) -> bool:
    """Returns True if the stream of this head exists and has not expired."""
    return head is not None and "g" not in head and not ("x" in head and head["x"] <= now)


def live_filter(stream: str, now: float) -> Document:
    """The filter for the head of a live stream."""
    return {"_id": head_id(stream), "g": {"$exists": False}, "x": _not_expired(now)}


def query_filter(query: Query, head: Mapping[str, Any], now: float) -> Document:
    """The filter for the records of a query."""
    seq_floor = head["f"] if query.after is None else max(head["f"], query.after)
    seq_condition: Document = {"$gt": seq_floor, "$lte": head["q"]}
    if query.before is not None:
        seq_condition["$lt"] = query.before
    existence_condition = {"g": {"$exists": False}, "x": _not_expired(now)}
    return {"s": query.stream, "k": query.kind, "q": seq_condition, **existence_condition}


def _not_expired(now: float) -> Document:
    """The condition on field `x`: absent, or later than `now`."""
    return {"$not": {"$lte": now}}


def record(document: Mapping[str, Any]) -> Record:
    return Record(
        document["k"], document["i"], document["b"], document["a"], document.get("x"), document["q"]
    )


def operation(put: Sequence[Record], drop: Sequence[Any], now: float, name: str) -> Document:
    """A pending operation: the whole change, so that any process can apply it."""
    return {
        "u": name,
        "t": now,
        "put": [
            [record.kind, record.id, record.body, float(record.at), record.expires]
            for record in put
        ],
        "drop": [[kind, None if ids is None else list(ids), seq] for kind, ids, seq in drop],
    }


def clock() -> float:
    """Real time: the age of tombstones does not depend on the caller's clock."""
    return time.time()
