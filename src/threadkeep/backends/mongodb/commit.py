"""One commit: promised in the head by one atomic update, then applied."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from threadkeep.backends.common.commit import (
    Action,
    Change,
    Decision,
    Lifetime,
    StreamState,
    decide,
)
from threadkeep.backends.mongodb.documents import (
    Document,
    Store,
    clock,
    head_id,
    live_filter,
    operation,
    record_id,
)
from threadkeep.backends.mongodb.roll_forward import apply
from threadkeep.types import Commit, Keep
from threadkeep.types.versions import allowed_advance


class Promise(NamedTuple):
    """A change, and the operation that a head keeps of it until it is applied."""

    change: Change
    name: str

    def operation(self) -> Document:
        """What is to be applied; a new generation has nothing to drop."""
        change = self.change
        drops = () if change.drops_stream else change.drop
        return operation(change.put, drops, change.now, self.name)


def promise(change: Change) -> Promise:
    """With each id once: of one that comes twice the last body counts."""
    return Promise(change.unique(), uuid.uuid4().hex)


def commit(store: Store, promise: Promise) -> Commit:
    """Make a commit; returns the version, and the seq of each record put.

    Raises:
        Conflict: another version than the expected one was found.
    """
    change = promise.change
    while True:
        if not change.drops_stream and change.expect != 0:
            head = _continue(store, promise)
            if head is not None:
                return _finish(store, change, head)
        head = store.find_one({"_id": head_id(change.stream)})
        new_commit = _carry_out(store, promise, head, decide(_state(head), change))
        if new_commit is not None:
            return new_commit
        # else the stream began or changed just now: look again


def _carry_out(
    store: Store, promise: Promise, head: Document | None, decision: Decision
) -> Commit | None:
    """Do what was decided from a head; `None` = it changed since."""
    change, action = promise.change, decision.action
    if action is Action.IGNORE:
        return Commit(0, [])
    if action is Action.CREATE:
        created_head = _create(store, promise, head, decision)
        return None if created_head is None else _finish(store, change, created_head)
    if head is None:
        return None
    if action is Action.REPLAY:
        apply(store, head)
        return _answer(store, change, decision.version)
    if action is Action.END:
        return Commit(0, []) if _end(store, change, head) else None
    continued_head = _continue(store, promise, (head, decision))  # with another ttl
    return None if continued_head is None else _finish(store, change, continued_head)


def _state(head: Document | None) -> StreamState | None:
    """What a commit depends on; a head whose generation was ended stands for none."""
    if head is None or "g" in head:
        return None
    return StreamState(
        head["v"], head.get("x"), head.get("l"), head.get("t"), head["v"] - head["n"]
    )


def _continue(
    store: Store, promise: Promise, decided: tuple[Document, Decision] | None = None
) -> Document | None:
    """Promise the change to a live stream; `None` = there is none, or not as expected.

    Args:
        decided: the head as it was read, and what is to become of it; without, the stream must
            have the change's ttl.
    """
    change = promise.change
    head_filter = live_filter(change.stream, change.now)
    if (expected_version := change.expect) is not None:
        head_filter["v"] = {
            "$gte": expected_version,
            "$lte": expected_version + allowed_advance(expected_version),
        }
    if change.token is not None:
        head_filter["t"] = {"$ne": change.token}
    head_update: Document = {}
    if change.put or change.drop:
        head_update = {
            "$inc": {"v": 1, "c": 1, "q": len(change.put), "n": 1},
            "$push": {"p": promise.operation()},
        }
        if change.token is not None:
            del head_update["$inc"]["n"]
            head_update["$set"] = {"t": change.token, "n": 0}
    if decided is not None:
        head_filter |= _same(decided[0])
        _set_lifetime(head_update, decided[1].lifetime)
    elif change.ttl is None:
        _set_lifetime(head_update, Lifetime(None, None))
    elif not isinstance(change.ttl, Keep):
        # None: it never expires, or is an old one
        head_filter["l"] = {"$in": [float(change.ttl), None]}
        head_update["$max"] = {"x": float(change.now + change.ttl)}
        _set(head_update, "l", float(change.ttl))
    if not head_update:
        return store.find_one(head_filter)
    return store.find_one_and_update(head_filter, head_update, return_document=ReturnDocument.AFTER)


def _set_lifetime(update: Document, lifetime: Lifetime) -> None:
    _set(update, "x", lifetime.expires)
    _set(update, "l", lifetime.ttl)


def _set(update: Document, field: str, value: Any) -> None:
    if value is None:
        update.setdefault("$unset", {})[field] = ""
    else:
        update.setdefault("$set", {})[field] = value


def _create(
    store: Store, promise: Promise, head: Document | None, decision: Decision
) -> Document | None:
    """Begin a generation over what is left of the last one; `None` = somebody else was first."""
    change = promise.change
    new_head: Document = {
        "_id": head_id(change.stream),
        "v": decision.version,
        "c": head["c"] + 1 if head else 1,
        "q": (head["q"] if head else 0) + len(change.put),
        "f": head["q"] if head else 0,
        "n": 0,
        "p": [promise.operation()],
    }
    optional_fields = {
        "x": decision.expires,
        "l": decision.ttl,
        "t": decision.token,
        "z": True if head else None,
    }
    new_head |= {name: value for name, value in optional_fields.items() if value is not None}
    if head is None:
        try:
            store.insert_one(new_head)
        except DuplicateKeyError:
            return None
        return new_head
    return new_head if store.replace_one(_same(head), new_head).matched_count else None


def _end(store: Store, change: Change, head: Document) -> bool:
    """End the life; the head stays for a while, so that nobody who is late brings it back."""
    tombstone_fields = {"g": clock(), "f": head["q"], "p": [], "z": True, "n": 0}
    head_update = {
        "$set": tombstone_fields,
        "$inc": {"c": 1},
        "$unset": {"x": "", "l": "", "t": ""},
    }
    if not store.update_one(_same(head), head_update).matched_count:
        return False
    clean(store, change.stream, head["q"])
    return True


def _same(head: Document) -> Document:
    """The filter that finds a head as it was read."""
    expiry_condition = {"x": head["x"]} if "x" in head else {"x": {"$exists": False}}
    return {"_id": head["_id"], "c": head["c"], "v": head["v"], **expiry_condition}


def clean(store: Store, stream: str, floor: int) -> int:
    """Remove what lives that ended have left."""
    deleted_count = store.delete_many({"s": stream, "q": {"$lte": floor}}).deleted_count
    store.update_one({"_id": head_id(stream), "f": floor}, {"$unset": {"z": ""}})
    return deleted_count


def _finish(store: Store, change: Change, head: Document) -> Commit:
    if change.put or change.drop:
        apply(store, head)
    commit_answer = _answer(store, change, head["v"], last_seq=head["q"])
    if head.get("z"):
        clean(store, change.stream, head["f"])
    return commit_answer


def _answer(store: Store, change: Change, version: int, last_seq: int = 0) -> Commit:
    """The version, and the seq of each record put, also of one that was dropped or moved since.

    Args:
        last_seq: of the commit's new places; 0 = not known any more, which a repeat answers for
            a record that is gone.
    """
    document_ids = [record_id(change.stream, record.kind, record.id) for record in change.put]
    if not document_ids:
        return Commit(version, [])
    stored_documents = store.find(
        {"_id": {"$in": document_ids}, "g": {"$exists": False}}, {"k": 1, "i": 1, "q": 1}
    )
    seq_by_key = {(document["k"], document["i"]): document["q"] for document in stored_documents}
    if not last_seq:
        return Commit(version, [seq_by_key.get(record_key, 0) for record_key in change.keys])
    first_new_seq = last_seq - len(change.put) + 1
    new_seq_by_key = {
        (record.kind, record.id): first_new_seq + put_index
        for put_index, record in enumerate(change.put)
    }
    return Commit(
        version,
        [min(seq_by_key.get(key, new_seq_by_key[key]), new_seq_by_key[key]) for key in change.keys],
    )
