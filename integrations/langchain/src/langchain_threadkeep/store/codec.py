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
from threadkeep.adapters.json_values import as_json
from threadkeep.errors import InputError
from threadkeep.printable import shown

KIND: Final = "entry"
_encode: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
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
    entry_fields: dict[str, Any] = {"value": dict(op.value or {})}
    if record_id(op.key) != op.key:
        entry_fields["key"] = op.key
    if with_namespace:
        entry_fields["namespace"] = list(op.namespace)
    if existing is not None:
        entry_fields["created"] = _created_at(existing)
    expiry = None
    if op.ttl is not None and math.isfinite(op.ttl):
        entry_fields["ttl"] = float(op.ttl)
        expiry = now + op.ttl * _MINUTE
    return Record(KIND, record_id(op.key), _dumps(entry_fields, op), now, expiry)


def to_item(record: Record, namespace: Namespace | None) -> Item | None:
    """Convert a record to an item; `None` (logged) if it cannot be read."""
    entry_fields = _read_body(record, namespace)
    if entry_fields is None:
        return None
    return Item(
        value=entry_fields["value"],
        key=entry_fields.get("key", record.id),
        namespace=_namespace(entry_fields, namespace),
        created_at=_to_datetime(entry_fields.get("created", record.at)),
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
    entry_fields = _read_body(record, None)
    return None if entry_fields is None else _namespace(entry_fields, None)


def with_renewed_ttl(record: Record, now: float) -> Record | None:
    """Return the record with its TTL restarted; `None` if it has no TTL or was just renewed."""
    entry_fields = None if record.expires is None else _read_body(record, ())
    if record.expires is None or entry_fields is None or "ttl" not in entry_fields:
        return None
    ttl_seconds = entry_fields["ttl"] * _MINUTE
    elapsed = ttl_seconds - (record.expires - now)
    return (
        replace(record, expires=now + ttl_seconds) if elapsed > ttl_seconds * _RENEW_AFTER else None
    )


def matches(value: Any, condition: Any) -> bool:
    """Return True if a value matches a filter: equality per field, or operators such as `$gt`.

    Raises:
        InputError: the filter is nested too deeply.
    """
    try:
        return _matches(value, condition)
    except RecursionError as error:
        raise InputError("filter is nested too deeply") from error


def _matches(value: Any, condition: Any) -> bool:
    if isinstance(condition, Mapping):
        if any(str(key).startswith("$") for key in condition):
            return all(
                _compare(value, operator, operand) for operator, operand in condition.items()
            )
        if not isinstance(value, Mapping):
            return False
        return all(
            _matches(value.get(key), field_condition) for key, field_condition in condition.items()
        )
    if isinstance(condition, (list, tuple)):
        if not isinstance(value, (list, tuple)) or len(value) != len(condition):
            return False
        return all(map(_matches, value, condition))
    return bool(value == condition)


def matches_namespace(namespace: Namespace, condition: MatchCondition) -> bool:
    """Return True if a namespace has this prefix or suffix; `*` matches any label."""
    pattern_path = condition.path
    if condition.match_type not in ("prefix", "suffix"):
        raise ValueError(f"Unsupported match type: {condition.match_type}")
    if len(namespace) < len(pattern_path):
        return False
    start_index = 0 if condition.match_type == "prefix" else len(namespace) - len(pattern_path)
    labels = namespace[start_index : start_index + len(pattern_path)]
    return all(pattern in ("*", label) for label, pattern in zip(labels, pattern_path, strict=True))


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


def _dumps(entry_fields: Mapping[str, Any], op: PutOp) -> str:
    try:
        return _encode(entry_fields)
    except (TypeError, ValueError, RecursionError) as error:
        try:  # as LangGraph's stores in databases, which write dates and ids as texts
            return _encode(as_json(entry_fields, any_type=True))
        except (TypeError, ValueError, RecursionError):
            raise InputError(
                f"the value of {shown(op.key)} cannot be stored as JSON: {shown(str(error))}"
            ) from error


def _namespace(entry_fields: Mapping[str, Any], namespace: Namespace | None) -> Namespace:
    return tuple(entry_fields["namespace"]) if namespace is None else namespace


def _created_at(record: Record) -> float:
    entry_fields = _read_body(record, ())
    return record.at if entry_fields is None else float(entry_fields.get("created", record.at))


def _read_body(record: Record, namespace: Namespace | None) -> dict[str, Any] | None:
    """The body of a record, if it has the shape of an entry.

    Args:
        record: of the kind `entry`.
        namespace: what the stream's name says; `None` = the body has to say it.
    """
    try:
        entry_fields = json.loads(record.body)
        if not _is_entry(entry_fields, namespace):
            raise TypeError("another shape")
        _to_datetime(entry_fields.get("created", record.at))
    except (ValueError, TypeError, OverflowError, OSError, RecursionError) as error:
        _LOG.warning("skipped an unreadable entry %s (%s)", shown(record.id), type(error).__name__)
        return None
    return dict(entry_fields)


def _is_entry(entry: object, namespace: Namespace | None) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("value"), dict):
        return False
    labels = entry.get("namespace", None if namespace is None else [])
    has_namespace = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    time_values = [entry[field_name] for field_name in ("created", "ttl") if field_name in entry]
    are_numbers = all(
        type(time_value) in (int, float) and 0 <= time_value < _MAX_TIME
        for time_value in time_values
    )
    return has_namespace and are_numbers and isinstance(entry.get("key", ""), str)


def _to_datetime(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
