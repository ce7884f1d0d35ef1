"""Convert LangGraph store items to records and back, and match them against searches."""

from __future__ import annotations

import json
import logging
import math
import operator as operators
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from langgraph.store.base import Item, MatchCondition, PutOp, SearchItem

from langchain_threadkeep.store.addresses import Namespace, record_id
from threadkeep import Record
from threadkeep.errors import InputError
from threadkeep.printable import shown

KIND: Final = "entry"
_LOG = logging.getLogger("threadkeep")
_MINUTE: Final = 60.0
_MAX_TIME: Final = 1e12
_ORDER: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "$gt": operators.gt,
    "$gte": operators.ge,
    "$lt": operators.lt,
    "$lte": operators.le,
}
_RENEW_AFTER: Final = 0.05  # a read renews a TTL only after this share of it has passed


def to_record(op: PutOp, now: float, existing: Record | None, *, with_namespace: bool) -> Record:
    """Return the record of a put.

    Args:
        op: a put with a value.
        now: epoch seconds.
        existing: the stored record of the key, if any.
        with_namespace: the record says its namespace.

    Raises:
        InputError: the value cannot be stored as JSON.
    """
    body: dict[str, Any] = {"value": dict(op.value or {})}
    if record_id(op.key) != op.key:
        body["key"] = op.key
    if with_namespace:
        body["namespace"] = list(op.namespace)
    if existing is not None:
        body["created"] = _created_at(existing)
    expires = None
    if op.ttl is not None and math.isfinite(op.ttl):
        body["ttl"] = float(op.ttl)
        expires = now + op.ttl * _MINUTE
    return Record(KIND, record_id(op.key), _dumps(body, op), now, expires)


def to_item(record: Record, namespace: Namespace | None) -> Item | None:
    """Convert a record to an item; `None` (logged) if it cannot be read."""
    body = _read_body(record, namespace)
    if body is None:
        return None
    return Item(
        value=body["value"],
        key=body.get("key", record.id),
        namespace=_namespace(body, namespace),
        created_at=_to_datetime(body.get("created", record.at)),
        updated_at=_to_datetime(record.at),
    )


def to_search_item(item: Item) -> SearchItem:
    """Convert an item to a search result."""
    return SearchItem(item.namespace, item.key, item.value, item.created_at, item.updated_at)


def namespace_of(record: Record, namespace: Namespace | None) -> Namespace | None:
    """Return the namespace, read from the record if the stream name is hashed.

    `None` if it cannot be read.
    """
    if namespace is not None:
        return namespace
    body = _read_body(record, None)
    return None if body is None else _namespace(body, None)


def with_renewed_ttl(record: Record, now: float) -> Record | None:
    """Return the record with its TTL restarted; `None` if it has no TTL or was just renewed."""
    body = None if record.expires is None else _read_body(record, ())
    if record.expires is None or body is None or "ttl" not in body:
        return None
    ttl_seconds = body["ttl"] * _MINUTE
    elapsed = ttl_seconds - (record.expires - now)
    return (
        replace(record, expires=now + ttl_seconds) if elapsed > ttl_seconds * _RENEW_AFTER else None
    )


def matches(value: Any, condition: Any) -> bool:
    """Return True if a value matches a filter: equality per field, or operators such as `$gt`."""
    if isinstance(condition, Mapping):
        if any(str(key).startswith("$") for key in condition):
            return all(_compare(value, operator, limit) for operator, limit in condition.items())
        if not isinstance(value, Mapping):
            return False
        return all(matches(value.get(key), expected) for key, expected in condition.items())
    if isinstance(condition, (list, tuple)):
        if not isinstance(value, (list, tuple)) or len(value) != len(condition):
            return False
        return all(map(matches, value, condition))
    return bool(value == condition)


def matches_namespace(namespace: Namespace, condition: MatchCondition) -> bool:
    """Return True if a namespace has this prefix or suffix; `*` matches any label."""
    path = condition.path
    if condition.match_type not in ("prefix", "suffix"):
        raise ValueError(f"Unsupported match type: {condition.match_type}")
    if len(namespace) < len(path):
        return False
    start = 0 if condition.match_type == "prefix" else len(namespace) - len(path)
    labels = namespace[start : start + len(path)]
    return all(pattern in ("*", label) for label, pattern in zip(labels, path, strict=True))


def _compare(value: Any, operator: str, limit: Any) -> bool:
    if operator == "$eq":
        return bool(value == limit)
    if operator == "$ne":
        return bool(value != limit)
    if operator not in _ORDER:
        raise ValueError(f"Unsupported operator: {shown(operator)}")
    try:
        return bool(_ORDER[operator](float(value), float(limit)))
    except (TypeError, ValueError):
        return False


def _dumps(body: Mapping[str, Any], op: PutOp) -> str:
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the value of {shown(op.key)} cannot be stored as JSON: {shown(str(error))}"
        ) from error


def _namespace(body: Mapping[str, Any], namespace: Namespace | None) -> Namespace:
    return tuple(body["namespace"]) if namespace is None else namespace


def _created_at(record: Record) -> float:
    body = _read_body(record, ())
    return record.at if body is None else float(body.get("created", record.at))


def _read_body(record: Record, namespace: Namespace | None) -> dict[str, Any] | None:
    """The body of a record, if it has the shape of an entry.

    Args:
        record: of the kind `entry`.
        namespace: what the stream's name says; `None` = the body has to say it.
    """
    try:
        body = json.loads(record.body)
        if not _is_entry(body, namespace):
            raise TypeError("another shape")
        _to_datetime(body.get("created", record.at))
    except (ValueError, TypeError, OverflowError, OSError, RecursionError) as error:
        _LOG.warning("skipped an unreadable entry %s (%s)", shown(record.id), type(error).__name__)
        return None
    return dict(body)


def _is_entry(body: object, namespace: Namespace | None) -> bool:
    if not isinstance(body, dict) or not isinstance(body.get("value"), dict):
        return False
    labels = body.get("namespace", None if namespace is None else [])
    has_namespace = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    times = [body[name] for name in ("created", "ttl") if name in body]
    are_numbers = all(type(time) in (int, float) and 0 <= time < _MAX_TIME for time in times)
    return has_namespace and are_numbers and isinstance(body.get("key", ""), str)


def _to_datetime(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
