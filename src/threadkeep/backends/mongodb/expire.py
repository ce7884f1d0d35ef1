"""Reclaiming what expired, and what was dropped long enough ago."""

from __future__ import annotations

from threadkeep.backends.mongodb.commit import clean
from threadkeep.backends.mongodb.documents import GRACE, Document, Store, clock

_HEADS = {"s": {"$exists": False}}
_RECORDS = {"s": {"$exists": True}}


def sweep(store: Store, now: float, limit: int) -> int:
    """End lives and records that expired by `now`, by any number of sweepers; return how many."""
    swept = 0
    due: Document = {"x": {"$lte": now}}
    for head in store.find({**due, **_HEADS}, {"c": 1, "x": 1, "q": 1}).limit(limit):
        swept += _end(store, head)
    if swept < limit:
        for found in store.find({**due, **_RECORDS}, {"r": 1, "x": 1}).limit(limit - swept):
            swept += _drop(store, found)
    for head in store.find({"z": True}, {"f": 1}).limit(limit):
        clean(store, head["_id"][2:], head["f"])
    _forget(store, limit)
    return swept


def _end(store: Store, head: Document) -> int:
    """Only as it was found: who commits meanwhile begins a new life or goes on."""
    gone = {"g": clock(), "f": head["q"], "p": [], "z": True, "n": 0}
    same = {"_id": head["_id"], "c": head["c"], "x": head["x"]}
    update = {"$set": gone, "$inc": {"c": 1}, "$unset": {"x": "", "t": ""}}
    return store.update_one(same, update).matched_count


def _drop(store: Store, found: Document) -> int:
    same = {"_id": found["_id"], "r": found["r"], "x": found["x"]}
    gone = {"$set": {"g": clock(), "b": None}, "$unset": {"x": ""}}
    return store.update_one(same, gone).matched_count


def _forget(store: Store, limit: int) -> None:
    """Marks of what was dropped; by now nobody is late any more."""
    old: Document = {"g": {"$lte": clock() - GRACE}}
    for found in store.find(old, {"s": 1, "g": 1, "f": 1}).limit(limit):
        if "s" not in found:  # a head: a life that begins now goes on above its floor
            store.delete_many({"s": found["_id"][2:], "q": {"$lte": found["f"]}})
        store.delete_one({"_id": found["_id"], "g": found["g"]})
