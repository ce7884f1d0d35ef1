"""Values that are not JSON, as JSON: what a message holds besides text and numbers.

What an application writes is converted only where one text is the obvious one. What a model or a
tool sent is converted further, since no run may end for it.
"""

from __future__ import annotations

import base64
import dataclasses
import enum
import json
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from threadkeep.core.body import MAX_DEPTH
from threadkeep.types import Item, Json

_MODEL_ROLES: Final = frozenset({"assistant", "ai", "model", "chatbot", "tool", "function"})
_FIELDS: Final = ("content", "tool_calls", "usage", "metadata", "raw")
_MAX_DIGITS: Final = 4_000  # Python reads and writes 4,300


def item_as_json(item: Item) -> Item:
    """The item with values that JSON has; those that cannot be converted stay."""
    is_model_item = item.role in _MODEL_ROLES
    converted_fields = {
        field_name: as_json(getattr(item, field_name), any_type=is_model_item)
        for field_name in _FIELDS
        if getattr(item, field_name)
    }
    if is_model_item:
        converted_fields = {
            field_name: _within_depth(field_value, MAX_DEPTH - 1)
            for field_name, field_value in converted_fields.items()
        }
    return dataclasses.replace(item, **converted_fields)


def _within_depth(value: Json, depth: int) -> Json:
    """The value, and what is nested deeper than that as a text of JSON."""
    if not isinstance(value, (dict, list)):
        return value
    if depth == 0:
        return _json_text(value)
    if isinstance(value, dict):
        return {key: _within_depth(child_value, depth - 1) for key, child_value in value.items()}
    return [_within_depth(list_entry, depth - 1) for list_entry in value]


def _json_text(value: Json) -> Json:
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:  # an object that nobody knows, which is refused
        return value


def as_json(value: Any, *, any_type: bool) -> Json:
    """A copy of the value as JSON.

    Dates and times become ISO 8601, UUIDs, decimals and paths their text, enumerations their value,
    tuples lists. With `any_type` also: bytes become base64, sets lists, keys and numbers that JSON
    does not have their text, models and dataclasses dicts of their fields. Other objects stay.

    Raises:
        RecursionError: the value is nested too deeply, or holds itself.
    """
    value_type = type(value)
    if value_type is str or value is None or value_type is bool:
        return value
    if isinstance(value, Mapping):
        return {
            _key(key, any_type): as_json(child_value, any_type=any_type)
            for key, child_value in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [as_json(list_entry, any_type=any_type) for list_entry in value]
    if isinstance(value, enum.Enum):
        return as_json(value.value, any_type=any_type)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (UUID, Decimal, PurePath)):
        return str(value)
    return _foreign(value) if any_type else value


def _key(key: Any, any_type: bool) -> Any:
    if type(key) is str:
        return key
    if isinstance(key, enum.Enum):
        return _key(key.value, any_type)
    if isinstance(key, (datetime, date, time)):
        return key.isoformat()
    if isinstance(key, (str, UUID, Decimal, PurePath)):
        return str(key)
    return _key_text(key) if any_type else key


def _key_text(key: Any) -> str:
    """As `json.dumps` writes keys, where it does."""
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    converted_key = _foreign(key)
    return converted_key if isinstance(converted_key, str) else str(converted_key)


def _foreign(value: Any) -> Json:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _constant(value)
    if isinstance(value, int):
        return value if abs(value) < 10**_MAX_DIGITS else f"{value:#x}"
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    if isinstance(value, (set, frozenset)):
        return _list(value)
    return _fields(value)


def _constant(value: float) -> str:
    """As `json.dumps` writes it."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _list(values: Iterable[Any]) -> list[Json]:
    """The values of a set, always in the same order."""
    return sorted((as_json(set_member, any_type=True) for set_member in values), key=repr)


def _fields(value: Any) -> Json:
    """The fields of a model or dataclass; other objects stay, to be refused."""
    dump_model = getattr(value, "model_dump", None)
    if callable(dump_model):
        return as_json(dump_model(), any_type=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        field_names = [field.name for field in dataclasses.fields(value)]
        return {name: as_json(getattr(value, name), any_type=True) for name in field_names}
    return value
