"""Pages: the head, what it promises, the records, the head again, until nothing came between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pymongo import ASCENDING, DESCENDING

from threadkeep.backends.mongodb.documents import (
    Document,
    Store,
    head_id,
    live,
    record,
    record_id,
    wanted,
)
from threadkeep.backends.mongodb.roll_forward import apply
from threadkeep.types import Page, Query, Record

_FEW = 1000
"""Ids looked up in one find."""


def pages(store: Store, queries: Sequence[Query], now: float) -> list[Page]:
    """Answer all queries; those of one stream from one moment."""
    answers: dict[int, Page] = {}
    left = list(range(len(queries)))
    while left:
        names = dict.fromkeys(queries[n].stream for n in left)
        heads = _heads(store, names)
        for head in heads.values():
            if live(head, now):
                apply(store, head)
        found = {n: _page(store, heads.get(queries[n].stream), queries[n], now) for n in left}
        moved = _moved(store, heads)
        done = [n for n in left if queries[n].stream not in moved]
        answers |= {n: found[n] for n in done}
        left = [n for n in left if n not in answers]
    return [answers[n] for n in range(len(queries))]


def _heads(store: Store, streams: Iterable[str]) -> dict[str, Document]:
    found = store.find({"_id": {"$in": [head_id(stream) for stream in streams]}})
    return {head["_id"][2:]: head for head in found}


def _moved(store: Store, heads: dict[str, Document]) -> set[str]:
    """Those streams that somebody has committed to meanwhile."""
    ids = [head["_id"] for head in heads.values()]
    if not ids:
        return set()
    now = {one["_id"]: one["c"] for one in store.find({"_id": {"$in": ids}}, {"c": 1})}
    return {name for name, head in heads.items() if now.get(head["_id"]) != head["c"]}


def _page(store: Store, head: Document | None, query: Query, now: float) -> Page:
    if head is None or not live(head, now):
        return Page(0, [])
    if query.limit == 0:
        return Page(head["v"], [])
    found = wanted(query, head, now)
    if query.ids is not None:
        return Page(head["v"], _by_ids(store, found, query))
    order = DESCENDING if query.newest else ASCENDING
    rows = store.find(found).sort("q", order)
    records = [record(row) for row in (rows if query.limit is None else rows.limit(query.limit))]
    return Page(head["v"], records[::-1] if query.newest else records)


def _by_ids(store: Store, found: Document, query: Query) -> list[Record]:
    names = [record_id(query.stream, query.kind, id) for id in dict.fromkeys(query.ids or ())]
    rows = [
        record(row)
        for first in range(0, len(names), _FEW)
        for row in store.find({**found, "_id": {"$in": names[first : first + _FEW]}})
    ]
    rows.sort(key=lambda one: one.seq)
    if query.limit is None:
        return rows
    return rows[-query.limit :] if query.newest else rows[: query.limit]
