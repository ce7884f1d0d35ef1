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
    page_by_index: dict[int, Page] = {}
    pending_indexes = list(range(len(queries)))
    while pending_indexes:
        stream_names = dict.fromkeys(queries[query_index].stream for query_index in pending_indexes)
        head_by_stream = _heads(store, stream_names)
        for head in head_by_stream.values():
            if live(head, now):
                apply(store, head)
        candidate_page_by_index = {
            n: _page(store, head_by_stream.get(queries[n].stream), queries[n], now)
            for n in pending_indexes
        }
        changed_streams = _changed_streams(store, head_by_stream)
        settled_indexes = [n for n in pending_indexes if queries[n].stream not in changed_streams]
        page_by_index |= {n: candidate_page_by_index[n] for n in settled_indexes}
        pending_indexes = [n for n in pending_indexes if n not in page_by_index]
    return [page_by_index[n] for n in range(len(queries))]


def _heads(store: Store, streams: Iterable[str]) -> dict[str, Document]:
    head_documents = store.find({"_id": {"$in": [head_id(stream) for stream in streams]}})
    return {head_document["_id"][2:]: head_document for head_document in head_documents}


def _changed_streams(store: Store, head_by_stream: dict[str, Document]) -> set[str]:
    """The streams that were committed to meanwhile."""
    head_ids = [head["_id"] for head in head_by_stream.values()]
    if not head_ids:
        return set()
    commit_count_by_id = {
        current_head["_id"]: current_head["c"]
        for current_head in store.find({"_id": {"$in": head_ids}}, {"c": 1})
    }
    return {
        stream_name
        for stream_name, head in head_by_stream.items()
        if commit_count_by_id.get(head["_id"]) != head["c"]
    }


def _page(store: Store, head: Document | None, query: Query, now: float) -> Page:
    if head is None or not live(head, now):
        return Page(0, [])
    if query.limit == 0:
        return Page(head["v"], [])
    conditions = query_filter(query, head, now)
    if query.ids is not None:
        return Page(head["v"], _by_ids(store, conditions, query))
    sort_order = DESCENDING if query.newest else ASCENDING
    documents = store.find(conditions).sort("q", sort_order)
    records = [
        record(document)
        for document in (documents if query.limit is None else documents.limit(query.limit))
    ]
    return Page(head["v"], records[::-1] if query.newest else records)


def _by_ids(store: Store, conditions: Document, query: Query) -> list[Record]:
    document_ids = [
        record_id(query.stream, query.kind, queried_id)
        for queried_id in dict.fromkeys(query.ids or ())
    ]
    records = [
        record(document)
        for batch_start in range(0, len(document_ids), _BATCH)
        for document in store.find(
            {**conditions, "_id": {"$in": document_ids[batch_start : batch_start + _BATCH]}}
        )
    ]
    records.sort(key=lambda found_record: found_record.seq)
    if query.limit is None:
        return records
    return records[-query.limit :] if query.newest else records[: query.limit]
