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
    bulk_writes = list(_writes(head))
    operation_names = [operation["u"] for operation in head["p"]]
    operation_removal = UpdateOne(
        {"_id": head["_id"]}, {"$pull": {"p": {"u": {"$in": operation_names}}}}
    )
    while True:
        try:
            store.bulk_write([*bulk_writes, operation_removal], ordered=True)
            return
        except BulkWriteError as error:
            error_codes = {write_error["code"] for write_error in error.details["writeErrors"]}
            if error_codes != {_DUPLICATE}:
                raise
            # somebody applies the same just now; what is there already is left as it is


def _writes(head: Mapping[str, Any]) -> Iterator[Write]:
    """Commits and seqs follow from the place of an operation, counted back from the head's."""
    stream_name = head["_id"][2:]
    pending_operations = head["p"]
    commit_number = head["c"] - len(pending_operations)
    last_seq = head["q"] - sum(len(operation["put"]) for operation in pending_operations)
    for operation in pending_operations:
        commit_number += 1
        for kind, dropped_ids, max_seq in operation["drop"]:
            yield from _drops(stream_name, kind, dropped_ids, max_seq, 2 * commit_number)
        for kind, id, record_body, written_at, expiry in operation["put"]:
            last_seq += 1
            record_filter = {"_id": record_id(stream_name, kind, id)}
            record_fields = {
                "s": stream_name,
                "k": kind,
                "i": id,
                "b": record_body,
                "a": written_at,
                "x": expiry,
            }
            put_pipeline = _put(
                record_fields, last_seq, 2 * commit_number + 1, head["f"], operation["t"]
            )
            yield UpdateOne(record_filter, put_pipeline, upsert=True)


def _drops(
    stream: str, kind: str, ids: list[str] | None, upto: int | None, revision: int
) -> Iterator[Write]:
    older_record_filter: Document = {"r": {"$lt": revision}}
    if upto is not None:
        older_record_filter["q"] = {"$lte": upto}
    tombstone_update = {"$set": {"r": revision, "g": clock(), "b": None}, "$unset": {"x": ""}}
    if ids is None:
        yield UpdateMany({"s": stream, "k": kind, **older_record_filter}, tombstone_update)
        return
    for batch_start in range(0, len(ids), _FEW):
        document_ids = [
            record_id(stream, kind, dropped_id)
            for dropped_id in ids[batch_start : batch_start + _FEW]
        ]
        yield UpdateMany({"_id": {"$in": document_ids}, **older_record_filter}, tombstone_update)


def _put(fields: Mapping[str, Any], seq: int, revision: int, floor: int, now: float) -> list[Any]:
    """A pipeline that changes nothing if what is there is newer.

    `$literal` keeps bodies that begin with `$` what they are; a field set to `$$REMOVE` is missing.
    """
    newer_expr = {"$lt": [{"$ifNull": ["$r", -1]}, revision]}

    def new_or_old_value(field: str, value: Any) -> Document:
        value_expr = "$$REMOVE" if value is None else {"$literal": value}
        return {"$cond": [newer_expr, value_expr, f"${field}"]}

    dropped_expr = {"$gt": [{"$ifNull": ["$g", None]}, None]}
    expired_expr = {"$lte": [{"$ifNull": ["$x", float("inf")]}, now]}
    absent_expr = {"$lte": [{"$ifNull": ["$q", -1]}, floor]}
    seq_expr = {"$cond": [{"$or": [absent_expr, dropped_expr, expired_expr]}, seq, "$q"]}
    expr_by_field = {field: new_or_old_value(field, value) for field, value in fields.items()}
    expr_by_field["q"] = {"$cond": [newer_expr, seq_expr, "$q"]}
    expr_by_field["g"] = {"$cond": [newer_expr, "$$REMOVE", "$g"]}
    expr_by_field["r"] = {"$cond": [newer_expr, revision, "$r"]}
    return [{"$set": expr_by_field}]
