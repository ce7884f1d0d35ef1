"""Items of LangGraph's store as records, and which of them a search wants."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from langgraph.store.base import Item, MatchCondition, PutOp, SearchItem

from langchain_threadkeep.store.addressing import Namespace, record_id
from threadkeep import Record
from threadkeep.errors import InputError

KIND: Final = "entry"
_MINUTE: Final = 60.0
_FRESH: Final = 0.05  # a read prolongs a life only when so much of it has passed


def to_record(op: PutOp, now: float, before: Record | None, *, named: bool) -> Record:
    """The record of a put.

    Args:
        op: with a value.
        now: epoch seconds.
        before: what stands under the key.
        named: the record says its namespace.

    Raises:
        InputError: the value is not JSON.
    """
    body: dict[str, Any] = {"value": dict(op.value or {})}
    if record_id(op.key) != op.key:
        body["key"] = op.key
    if named:
        body["namespace"] = list(op.namespace)
    if before is not None:
        body["created"] = _created(before)
    expires = None
    if op.ttl is not None and math.isfinite(op.ttl):
        body["ttl"] = float(op.ttl)
        expires = now + op.ttl * _MINUTE
    return Record(KIND, record_id(op.key), _dumps(body, op), now, expires)


def to_item(record: Record, namespace: Namespace | None) -> Item:
    """The item of a record."""
    body = json.loads(record.body)
    return Item(
        value=body["value"],
        key=body.get("key", record.id),
        namespace=_namespace(body, namespace),
        created_at=_moment(body.get("created", record.at)),
        updated_at=_moment(record.at),
    )


def to_found(item: Item) -> SearchItem:
    """The item as a search gives it."""
    return SearchItem(item.namespace, item.key, item.value, item.created_at, item.updated_at)


def namespace_of(record: Record, namespace: Namespace | None) -> Namespace:
    """The namespace of a record, if its stream's name does not say it."""
    return namespace if namespace is not None else _namespace(json.loads(record.body), None)


def prolonged(record: Record, now: float) -> Record | None:
    """The record with its life begun anew; `None` if it has none, or has just begun it."""
    if record.expires is None:
        return None
    life = json.loads(record.body)["ttl"] * _MINUTE
    passed = life - (record.expires - now)
    return replace(record, expires=now + life) if passed > life * _FRESH else None


def matches(value: Any, wanted: Any) -> bool:
    """Whether a value is as a filter wants it: equal, part by part, or by `$gt` and its like."""
    if isinstance(wanted, Mapping):
        if any(str(key).startswith("$") for key in wanted):
            return all(_compared(value, operator, limit) for operator, limit in wanted.items())
        if not isinstance(value, Mapping):
            return False
        return all(matches(value.get(key), part) for key, part in wanted.items())
    if isinstance(wanted, (list, tuple)):
        if not isinstance(value, (list, tuple)) or len(value) != len(wanted):
            return False
        return all(map(matches, value, wanted))
    return bool(value == wanted)


def fits(namespace: Namespace, condition: MatchCondition) -> bool:
    """Whether a namespace begins, or ends, as told; `*` stands for any label."""
    path = condition.path
    if condition.match_type not in ("prefix", "suffix"):
        raise ValueError(f"Unsupported match type: {condition.match_type}")
    if len(namespace) < len(path):
        return False
    start = 0 if condition.match_type == "prefix" else len(namespace) - len(path)
    part = namespace[start : start + len(path)]
    return all(want in ("*", label) for label, want in zip(part, path, strict=True))


def _compared(value: Any, operator: str, limit: Any) -> bool:
    if operator == "$eq":
        return bool(value == limit)
    if operator == "$ne":
        return bool(value != limit)
    try:
        one, other = float(value), float(limit)
    except (TypeError, ValueError):
        return False
    match operator:
        case "$gt":
            return one > other
        case "$gte":
            return one >= other
        case "$lt":
            return one < other
        case "$lte":
            return one <= other
    raise ValueError(f"Unsupported operator: {operator}")


def _dumps(body: Mapping[str, Any], op: PutOp) -> str:
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise InputError(f"the value of {op.key!r} cannot be stored as JSON: {error}") from error


def _namespace(body: Mapping[str, Any], namespace: Namespace | None) -> Namespace:
    return tuple(body["namespace"]) if namespace is None else namespace


def _created(record: Record) -> float:
    created: float = json.loads(record.body).get("created", record.at)
    return created


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
