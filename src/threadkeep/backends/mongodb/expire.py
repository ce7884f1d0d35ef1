"""Deletes expired streams and records, and the tombstones of those dropped long ago."""

from __future__ import annotations

from threadkeep.backends.mongodb.commit import clean
from threadkeep.backends.mongodb.documents import GRACE, Document, Store, clock

_HEADS = {"s": {"$exists": False}}
_RECORDS = {"s": {"$exists": True}}


def sweep(store: Store, now: float, limit: int) -> int:
    """Drop streams and records that expired by `now`; return the count. Sweeps may overlap."""
    swept_count = 0
    expiry_condition: Document = {"x": {"$lte": now}}
    for expired_head in store.find({**expiry_condition, **_HEADS}, {"c": 1, "x": 1, "q": 1}).limit(
        limit
    ):
        swept_count += _end_stream(store, expired_head)
    if swept_count < limit:
        for expired_record in store.find({**expiry_condition, **_RECORDS}, {"r": 1, "x": 1}).limit(
            limit - swept_count
        ):
            swept_count += _drop_record(store, expired_record)
    for expired_head in store.find({"z": True}, {"f": 1}).limit(limit):
        clean(store, expired_head["_id"][2:], expired_head["f"])
    _delete_tombstones(store, limit)
    return swept_count


def _end_stream(store: Store, head: Document) -> int:
    """Drop a stream, unless a commit has changed its head meanwhile."""
    tombstone_fields = {"g": clock(), "f": head["q"], "p": [], "z": True, "n": 0}
    unchanged_head_filter = {"_id": head["_id"], "c": head["c"], "x": head["x"]}
    head_update = {
        "$set": tombstone_fields,
        "$inc": {"c": 1},
        "$unset": {"x": "", "l": "", "t": ""},
    }
    return store.update_one(unchanged_head_filter, head_update).matched_count


def _drop_record(store: Store, record: Document) -> int:
    unchanged_record_filter = {"_id": record["_id"], "r": record["r"], "x": record["x"]}
    tombstone_update = {"$set": {"g": clock(), "b": None}, "$unset": {"x": ""}}
    return store.update_one(unchanged_record_filter, tombstone_update).matched_count


def _delete_tombstones(store: Store, limit: int) -> None:
    """Delete tombstones that are older than any call that could still write."""
    outdated_filter: Document = {"g": {"$lte": clock() - GRACE}}
    for tombstone in store.find(outdated_filter, {"s": 1, "g": 1, "f": 1}).limit(limit):
        if "s" not in tombstone:  # a head: a stream created meanwhile has its seqs above the floor
            store.delete_many({"s": tombstone["_id"][2:], "q": {"$lte": tombstone["f"]}})
        store.delete_one({"_id": tombstone["_id"], "g": tombstone["g"]})
