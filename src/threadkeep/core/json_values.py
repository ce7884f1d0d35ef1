"""Values that are not JSON, as JSON: what a message holds besides text and numbers.

What an application writes is converted only where one text is the obvious one. What a model or a
tool sent is converted further, since no run may end for it.
"""

from __future__ import annotations

import base64
import dataclasses
import enum
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from threadkeep.types import Item, Json

_MODEL_ROLES: Final = frozenset({"assistant", "ai", "model", "chatbot", "tool", "function"})
_FIELDS: Final = ("content", "tool_calls", "usage", "metadata", "raw")
_MAX_DIGITS: Final = 4_000  # Python reads and writes 4,300


def item_as_json(item: Item) -> Item:
    """The item with values that JSON has; those that cannot be converted stay."""
    of_model = item.role in _MODEL_ROLES
    converted = {
        name: as_json(getattr(item, name), any_type=of_model)
        for name in _FIELDS
        if getattr(item, name)
    }
    return dataclasses.replace(item, **converted)


def as_json(value: Any, *, any_type: bool) -> Json:
    """A copy of the value as JSON.

    Dates and times become ISO 8601, UUIDs, decimals and paths their text, enumerations their value,
    tuples lists. With `any_type` also: bytes become base64, sets lists, keys and numbers that JSON
    does not have their text, models and dataclasses dicts of their fields. Other objects stay.

    Raises:
        RecursionError: the value is nested too deeply, or holds itself.
    """
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return value
    if isinstance(value, Mapping):
        return {_key(k, any_type): as_json(v, any_type=any_type) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(entry, any_type=any_type) for entry in value]
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
    converted = _foreign(key)
    return converted if isinstance(converted, str) else str(converted)


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
    return sorted((as_json(value, any_type=True) for value in values), key=repr)


def _fields(value: Any) -> Json:
    """The fields of a model or dataclass; other objects stay, to be refused."""
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return as_json(dump(), any_type=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: as_json(getattr(value, name), any_type=True) for name in names}
    return value
