"""Reads pages: heads, pending operations, records, heads again; repeats after a change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pymongo import ASCENDING, DESCENDING

from threadkeep.backends.mongodb.documents import (
    Document,
    Store,
    head_id,
    live,
    query_filter,
    record,
    record_id,
)
from threadkeep.backends.mongodb.roll_forward import apply
from threadkeep.types import Page, Query, Record

_BATCH = 1000
"""The number of ids in one find."""


def read_pages(store: Store, queries: Sequence[Query], now: float) -> list[Page]:
    """Answer all queries; those of one stream from one snapshot."""
    answers: dict[int, Page] = {}
    pending = list(range(len(queries)))
    while pending:
        names = dict.fromkeys(queries[n].stream for n in pending)
        heads = _heads(store, names)
        for head in heads.values():
            if live(head, now):
                apply(store, head)
        candidates = {
            n: _page(store, heads.get(queries[n].stream), queries[n], now) for n in pending
        }
        changed = _changed_streams(store, heads)
        settled = [n for n in pending if queries[n].stream not in changed]
        answers |= {n: candidates[n] for n in settled}
        pending = [n for n in pending if n not in answers]
    return [answers[n] for n in range(len(queries))]


def _heads(store: Store, streams: Iterable[str]) -> dict[str, Document]:
    documents = store.find({"_id": {"$in": [head_id(stream) for stream in streams]}})
    return {head["_id"][2:]: head for head in documents}


def _changed_streams(store: Store, heads: dict[str, Document]) -> set[str]:
    """The streams that were committed to meanwhile."""
    ids = [head["_id"] for head in heads.values()]
    if not ids:
        return set()
    commits = {new["_id"]: new["c"] for new in store.find({"_id": {"$in": ids}}, {"c": 1})}
    return {name for name, head in heads.items() if commits.get(head["_id"]) != head["c"]}


def _page(store: Store, head: Document | None, query: Query, now: float) -> Page:
    if head is None or not live(head, now):
        return Page(0, [])
    if query.limit == 0:
        return Page(head["v"], [])
    conditions = query_filter(query, head, now)
    if query.ids is not None:
        return Page(head["v"], _by_ids(store, conditions, query))
    order = DESCENDING if query.newest else ASCENDING
    rows = store.find(conditions).sort("q", order)
    records = [record(row) for row in (rows if query.limit is None else rows.limit(query.limit))]
    return Page(head["v"], records[::-1] if query.newest else records)


def _by_ids(store: Store, conditions: Document, query: Query) -> list[Record]:
    names = [record_id(query.stream, query.kind, id) for id in dict.fromkeys(query.ids or ())]
    records = [
        record(row)
        for first in range(0, len(names), _BATCH)
        for row in store.find({**conditions, "_id": {"$in": names[first : first + _BATCH]}})
    ]
    records.sort(key=lambda each: each.seq)
    if query.limit is None:
        return records
    return records[-query.limit :] if query.newest else records[: query.limit]
