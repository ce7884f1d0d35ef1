"""Deletes expired streams and records, and the tombstones of those dropped long ago."""

from __future__ import annotations

from threadkeep.backends.mongodb.commit import clean
from threadkeep.backends.mongodb.documents import GRACE, Document, Store, clock

_HEADS = {"s": {"$exists": False}}
_RECORDS = {"s": {"$exists": True}}


def sweep(store: Store, now: float, limit: int) -> int:
    """Drop streams and records that expired by `now`; return the count. Sweeps may overlap."""
    swept = 0
    due: Document = {"x": {"$lte": now}}
    for head in store.find({**due, **_HEADS}, {"c": 1, "x": 1, "q": 1}).limit(limit):
        swept += _end_stream(store, head)
    if swept < limit:
        for record in store.find({**due, **_RECORDS}, {"r": 1, "x": 1}).limit(limit - swept):
            swept += _drop_record(store, record)
    for head in store.find({"z": True}, {"f": 1}).limit(limit):
        clean(store, head["_id"][2:], head["f"])
    _delete_tombstones(store, limit)
    return swept


def _end_stream(store: Store, head: Document) -> int:
    """Drop a stream, unless a commit has changed its head meanwhile."""
    tombstone = {"g": clock(), "f": head["q"], "p": [], "z": True, "n": 0}
    unchanged = {"_id": head["_id"], "c": head["c"], "x": head["x"]}
    update = {"$set": tombstone, "$inc": {"c": 1}, "$unset": {"x": "", "l": "", "t": ""}}
    return store.update_one(unchanged, update).matched_count


def _drop_record(store: Store, record: Document) -> int:
    unchanged = {"_id": record["_id"], "r": record["r"], "x": record["x"]}
    tombstone = {"$set": {"g": clock(), "b": None}, "$unset": {"x": ""}}
    return store.update_one(unchanged, tombstone).matched_count


def _delete_tombstones(store: Store, limit: int) -> None:
    """Delete tombstones that are older than any call that could still write."""
    outdated: Document = {"g": {"$lte": clock() - GRACE}}
    for document in store.find(outdated, {"s": 1, "g": 1, "f": 1}).limit(limit):
        if "s" not in document:  # a head: a stream created meanwhile has its seqs above the floor
            store.delete_many({"s": document["_id"][2:], "q": {"$lte": document["f"]}})
        store.delete_one({"_id": document["_id"], "g": document["g"]})
