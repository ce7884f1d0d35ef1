r"""What is stored: a document per stream (its head) and one per record, in one collection.

A head, whose `_id` is `s:<stream>`:
    v  version                  c  how many commits there were in all lives, never set back
    q  last seq                 f  floor: records at or below it belong to lives that ended
    x  when it expires          g  when it was dropped, by a real clock; it holds nothing then
    t  last token               n  how many commits came after it
    p  operations that are promised and perhaps not yet applied, oldest first
    z  true: records at or below the floor may still be there

A record, whose `_id` is `r:<stream>\0<kind>\0<id>`:
    s, k, i  stream, kind, id   q  seq      r  revision: twice the `c` of the commit that wrote it,
    b  body   a  at             x  expires     and one more for a put, so that it follows its drop
    g  when it was dropped, by a real clock: nobody who is late may put it back

A field that says nothing is missing, which keeps the sparse indexes small.
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
"""Seconds for which what was dropped is remembered: longer than any call may take."""

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
    """Does the stream of this head live?"""
    return head is not None and "g" not in head and not ("x" in head and head["x"] <= now)


def living(stream: str, now: float) -> Document:
    """The filter that finds the head of a stream if it lives."""
    return {"_id": head_id(stream), "g": {"$exists": False}, "x": _ahead(now)}


def wanted(query: Query, head: Mapping[str, Any], now: float) -> Document:
    """The filter that finds what a query asks for."""
    low = head["f"] if query.after is None else max(head["f"], query.after)
    span: Document = {"$gt": low, "$lte": head["q"]}
    if query.before is not None:
        span["$lt"] = query.before
    there = {"g": {"$exists": False}, "x": _ahead(now)}
    return {"s": query.stream, "k": query.kind, "q": span, **there}


def _ahead(now: float) -> Document:
    """Of the field `x`: missing, or later."""
    return {"$not": {"$lte": now}}


def record(found: Mapping[str, Any]) -> Record:
    return Record(found["k"], found["i"], found["b"], found["a"], found.get("x"), found["q"])


def operation(put: Sequence[Record], drop: Sequence[Any], now: float, name: str) -> Document:
    """What is promised: the whole change, so that anyone can apply it."""
    return {
        "u": name,
        "t": now,
        "put": [[r.kind, r.id, r.body, float(r.at), r.expires] for r in put],
        "drop": [[kind, None if ids is None else list(ids), upto] for kind, ids, upto in drop],
    }


def clock() -> float:
    """Real time: how long something has been gone is no matter of the caller's clock."""
    return time.time()
