"""One commit: promised in the head by one atomic update, then applied."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from threadkeep.backends.mongodb.documents import (
    Document,
    Store,
    clock,
    head_id,
    live,
    living,
    operation,
    record_id,
)
from threadkeep.backends.mongodb.roll_forward import apply
from threadkeep.errors import Conflict
from threadkeep.types import Commit, Drop, Keep, Record, Ttl
from threadkeep.types.versions import matches, reach


@dataclass(frozen=True, slots=True)
class Change:
    """A commit to be made, with what it promises; `put` has each id once."""

    stream: str
    put: Sequence[Record]
    drop: Sequence[Drop]
    ttl: Ttl
    expect: int | None
    token: str | None
    now: float
    name: str

    @property
    def ends(self) -> bool:
        """Does it drop the whole stream?"""
        return any(one.kind is None for one in self.drop)

    def promise(self) -> Document:
        drop = () if self.ends else self.drop
        return operation(self.put, drop, self.now, self.name)

    def expires(self, head: Document | None) -> float | None:
        if isinstance(self.ttl, Keep):
            return head.get("x") if head else None
        return None if self.ttl is None else self.now + self.ttl


def change(
    stream: str,
    put: Sequence[Record],
    drop: Sequence[Drop],
    ttl: Ttl,
    expect: int | None,
    token: str | None,
    now: float,
) -> Change:
    """Of an id that comes twice the last body wins."""
    last = {(record.kind, record.id): record for record in put}
    name = uuid.uuid4().hex
    return Change(stream, list(last.values()), drop, ttl, expect, token, now, name)


def commit(store: Store, change: Change) -> tuple[int, dict[tuple[str, str], int]]:
    """The version, and the seq of each record put.

    Raises:
        Conflict: another version than the expected one was found.
    """
    while True:
        head = None if change.ends or change.expect == 0 else _go_on(store, change)
        if head is not None:
            return _finish(store, change, head)
        head = store.find_one({"_id": head_id(change.stream)})
        lives = live(head, change.now)
        if head and lives and change.token is not None and head.get("t") == change.token:
            apply(store, head)
            return head["v"] - head["n"], _seqs(store, change)
        _check(change, head["v"] if head and lives else 0)
        if not lives and not change.put:
            return 0, {}
        if lives and not change.ends:
            continue  # it began just now
        if not change.put:
            if head and _end(store, change, head):
                return 0, {}
            continue
        begun = _begin(store, change, head, lives)
        if begun is not None:
            return _finish(store, change, begun)


def _check(change: Change, current: int) -> None:
    if not matches(change.expect, current):
        raise Conflict(
            f"stream {change.stream!r} is at version {current}, not {change.expect}: "
            "read it again and repeat the change",
            current=current,
        )


def _go_on(store: Store, change: Change) -> Document | None:
    """Promise the change to a stream that lives; `None` = it does not, or not as expected."""
    found = living(change.stream, change.now)
    if (expect := change.expect) is not None:
        found["v"] = {"$gte": expect, "$lte": expect + reach(expect)}
    if change.token is not None:
        found["t"] = {"$ne": change.token}
    update: Document = {}
    if change.put or change.drop:
        update = {
            "$inc": {"v": 1, "c": 1, "q": len(change.put), "n": 1},
            "$push": {"p": change.promise()},
        }
        if change.token is not None:
            del update["$inc"]["n"]
            update["$set"] = {"t": change.token, "n": 0}
    if not isinstance(change.ttl, Keep):
        _set(update, "x", change.expires(None))
    if not update:
        return store.find_one(found)
    return store.find_one_and_update(found, update, return_document=ReturnDocument.AFTER)


def _set(update: Document, field: str, value: Any) -> None:
    if value is None:
        update.setdefault("$unset", {})[field] = ""
    else:
        update.setdefault("$set", {})[field] = value


def _begin(store: Store, change: Change, head: Document | None, lives: bool) -> Document | None:
    """Begin a life, over what is left of the last one; `None` = somebody else was first."""
    new: Document = {
        "_id": head_id(change.stream),
        "v": secrets.randbits(32) << 20 | 1,
        "c": head["c"] + 1 if head else 1,
        "q": (head["q"] if head else 0) + len(change.put),
        "f": head["q"] if head else 0,
        "n": 0,
        "p": [change.promise()],
    }
    expires = change.expires(head if lives else None)
    fields = {"x": expires, "t": change.token, "z": True if head else None}
    new |= {name: value for name, value in fields.items() if value is not None}
    if head is None:
        try:
            store.insert_one(new)
        except DuplicateKeyError:
            return None
        return new
    return new if store.replace_one(_same(head), new).matched_count else None


def _end(store: Store, change: Change, head: Document) -> bool:
    """End the life; the head stays for a while, so that nobody who is late brings it back."""
    gone = {"g": clock(), "f": head["q"], "p": [], "z": True, "n": 0}
    update = {"$set": gone, "$inc": {"c": 1}, "$unset": {"x": "", "t": ""}}
    if not store.update_one(_same(head), update).matched_count:
        return False
    clean(store, change.stream, head["q"])
    return True


def _same(head: Document) -> Document:
    """The filter that finds a head as it was read."""
    life = {"x": head["x"]} if "x" in head else {"x": {"$exists": False}}
    return {"_id": head["_id"], "c": head["c"], "v": head["v"], **life}


def clean(store: Store, stream: str, floor: int) -> int:
    """Remove what lives that ended have left."""
    gone = store.delete_many({"s": stream, "q": {"$lte": floor}}).deleted_count
    store.update_one({"_id": head_id(stream), "f": floor}, {"$unset": {"z": ""}})
    return gone


def _finish(store: Store, change: Change, head: Document) -> tuple[int, dict[tuple[str, str], int]]:
    version, seqs = head["v"], {}
    if change.put or change.drop:
        apply(store, head)
        seqs = _seqs(store, change)
    if head.get("z"):
        clean(store, change.stream, head["f"])
    return version, seqs


def _seqs(store: Store, change: Change) -> dict[tuple[str, str], int]:
    """Where the records are now."""
    names = [record_id(change.stream, record.kind, record.id) for record in change.put]
    if not names:
        return {}
    found = store.find({"_id": {"$in": names}, "g": {"$exists": False}}, {"k": 1, "i": 1, "q": 1})
    return {(one["k"], one["i"]): one["q"] for one in found}


def answer(version: int, seqs: dict[tuple[str, str], int], put: Sequence[Record]) -> Commit:
    """As the protocol wants it; 0 for a record that was dropped since."""
    return Commit(version, [seqs.get((record.kind, record.id), 0) for record in put])
