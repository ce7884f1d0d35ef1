"""Applying what a head promises: idempotent, in order, by whoever comes first, or by several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pymongo import UpdateMany, UpdateOne
from pymongo.errors import BulkWriteError

from threadkeep.backends.mongodb.documents import Document, Store, clock, record_id

_DUPLICATE: Final = 11000
_FEW: Final = 1000
Write = UpdateOne | UpdateMany


def apply(store: Store, head: Mapping[str, Any]) -> None:
    """Apply all that is pending in a head, which was read a moment ago."""
    if not head["p"]:
        return
    writes = list(_writes(head))
    names = [operation["u"] for operation in head["p"]]
    done = UpdateOne({"_id": head["_id"]}, {"$pull": {"p": {"u": {"$in": names}}}})
    while True:
        try:
            store.bulk_write([*writes, done], ordered=True)
            return
        except BulkWriteError as error:
            codes = {write_error["code"] for write_error in error.details["writeErrors"]}
            if codes != {_DUPLICATE}:
                raise
            # somebody applies the same just now; what is there already is left as it is


def _writes(head: Mapping[str, Any]) -> Iterator[Write]:
    """Commits and seqs follow from the place of an operation, counted back from the head's."""
    stream = head["_id"][2:]
    pending = head["p"]
    commit = head["c"] - len(pending)
    seq = head["q"] - sum(len(operation["put"]) for operation in pending)
    for operation in pending:
        commit += 1
        for kind, ids, upto in operation["drop"]:
            yield from _drops(stream, kind, ids, upto, 2 * commit)
        for kind, id, body, at, expires in operation["put"]:
            seq += 1
            selector = {"_id": record_id(stream, kind, id)}
            fields = {"s": stream, "k": kind, "i": id, "b": body, "a": at, "x": expires}
            change = _put(fields, seq, 2 * commit + 1, head["f"], operation["t"])
            yield UpdateOne(selector, change, upsert=True)


def _drops(
    stream: str, kind: str, ids: list[str] | None, upto: int | None, revision: int
) -> Iterator[Write]:
    older: Document = {"r": {"$lt": revision}}
    if upto is not None:
        older["q"] = {"$lte": upto}
    tombstone = {"$set": {"r": revision, "g": clock(), "b": None}, "$unset": {"x": ""}}
    if ids is None:
        yield UpdateMany({"s": stream, "k": kind, **older}, tombstone)
        return
    for first in range(0, len(ids), _FEW):
        names = [record_id(stream, kind, id) for id in ids[first : first + _FEW]]
        yield UpdateMany({"_id": {"$in": names}, **older}, tombstone)


def _put(fields: Mapping[str, Any], seq: int, revision: int, floor: int, now: float) -> list[Any]:
    """A pipeline that changes nothing if what is there is newer.

    `$literal` keeps bodies that begin with `$` what they are; a field set to `$$REMOVE` is missing.
    """
    newer = {"$lt": [{"$ifNull": ["$r", -1]}, revision]}

    def chosen(field: str, value: Any) -> Document:
        mine = "$$REMOVE" if value is None else {"$literal": value}
        return {"$cond": [newer, mine, f"${field}"]}

    dropped = {"$gt": [{"$ifNull": ["$g", None]}, None]}
    expired = {"$lte": [{"$ifNull": ["$x", float("inf")]}, now]}
    absent = {"$lte": [{"$ifNull": ["$q", -1]}, floor]}
    place = {"$cond": [{"$or": [absent, dropped, expired]}, seq, "$q"]}
    changes = {field: chosen(field, value) for field, value in fields.items()}
    changes["q"] = {"$cond": [newer, place, "$q"]}
    changes["g"] = {"$cond": [newer, "$$REMOVE", "$g"]}
    changes["r"] = {"$cond": [newer, revision, "$r"]}
    return [{"$set": changes}]
