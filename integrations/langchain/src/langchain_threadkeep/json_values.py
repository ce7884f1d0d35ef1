"""Encode any value as tagged JSON and decode it; encoding never fails."""

from __future__ import annotations

import base64
import dataclasses
import enum
import functools
import json
import logging
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage, message_to_dict, messages_from_dict
from pydantic import BaseModel

from threadkeep.adapters.json_values import object_text

TAG: Final = "$threadkeep"
Packed = Any  # JSON

_TEXT_DEPTH: Final = 48  # a record takes 64; what is nested deeper is a text of JSON
_IN_TEXT: Final = 100  # where the depth goes on in that text
_MAX_DEPTH: Final = 250
_log = logging.getLogger("threadkeep.langchain")


def pack(value: Any, depth: int = 0) -> Packed:
    """Encode a value as JSON: unchanged if it is JSON that a record takes, else tagged.

    Models and dataclasses are decoded as a dict of their fields, unknown objects as their `repr`;
    both are logged once per class.
    """
    value_type = type(value)
    if value_type is str or value_type is int or value_type is bool or value is None:
        return value
    if value_type is float:
        return value if math.isfinite(value) else _tag("float", repr(value))
    if depth >= _TEXT_DEPTH and (depth < _IN_TEXT or depth > _MAX_DEPTH):
        return _pack_deep(value, depth)
    if isinstance(value, Mapping):
        return _pack_mapping(value, depth)
    if value_type is list:
        return [pack(element, depth + 1) for element in value]
    return _pack_other(value, depth)


def unpack(value: Packed) -> Any:
    """Decode a packed value; unknown tags are returned unchanged."""
    if isinstance(value, list):
        return [unpack(element) for element in value]
    if not isinstance(value, dict):
        return value
    tag_reader = _READERS.get(value.get(TAG, "")) if TAG in value else None
    if tag_reader is not None:
        return tag_reader(value["v"])
    return {key: unpack(element) for key, element in value.items()}


def _pack_deep(value: Any, depth: int) -> Packed:
    """A value that is nested too deep for a record, or for the stack."""
    if depth > _MAX_DEPTH:
        return _tag("repr", f"{type(value).__name__} nested more than {_MAX_DEPTH} deep")
    return _tag("json", json.dumps(pack(value, _IN_TEXT)))


def _tag(tag: str, value: Packed, **more: Packed) -> Packed:
    return {TAG: tag, "v": value, **more}


def _pack_mapping(value: Mapping[Any, Any], depth: int) -> Packed:
    if TAG not in value and all(type(key) is str for key in value):
        return {key: pack(element, depth + 1) for key, element in value.items()}
    return _tag("dict", [[pack(k, depth + 3), pack(v, depth + 3)] for k, v in value.items()])


def _pack_other(value: Any, depth: int) -> Packed:
    if isinstance(value, enum.Enum):
        return pack(value.value, depth + 1)
    for value_type, (tag, tag_writer) in _WRITERS.items():
        if isinstance(value, value_type):
            return _tag(tag, tag_writer(value))
    if isinstance(value, (str, int, float)):  # subclasses
        plain_type = next(
            base_type for base_type in (str, int, float) if isinstance(value, base_type)
        )
        return pack(plain_type(value), depth + 1)
    if isinstance(value, (list, tuple, set, frozenset)):
        type_name = next(
            container_type
            for container_type in (list, tuple, set, frozenset)
            if isinstance(value, container_type)
        ).__name__
        is_list = type_name == "list"
        packed_elements = [pack(element, depth + (1 if is_list else 2)) for element in value]
        if is_list:
            return packed_elements
        return _tag(
            type_name,
            packed_elements if type_name == "tuple" else sorted(packed_elements, key=repr),
        )
    return _pack_object(value, depth)


def _pack_object(value: Any, depth: int) -> Packed:
    class_name = f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, BaseMessage):
        return _tag("message", pack(message_to_dict(value), depth + 1))
    if isinstance(value, Document):
        return _tag("document", pack(dict(value), depth + 1))
    _warn_once(class_name)
    if isinstance(value, BaseModel):
        return _tag("object", pack(dict(value), depth + 1), cls=class_name)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        field_values = {
            field.name: getattr(value, field.name) for field in dataclasses.fields(value)
        }
        return _tag("object", pack(field_values, depth + 1), cls=class_name)
    return _tag("repr", object_text(value), cls=class_name)


@functools.lru_cache(maxsize=256)
def _warn_once(cls: str) -> None:
    _log.warning("a %s in a message is not JSON: it will come back as plain data", cls)


def _read_document(value: Packed) -> Document:
    return Document(**unpack(value))


def _read_message(value: Packed) -> BaseMessage:
    return messages_from_dict([unpack(value)])[0]


def _read_json(value: Packed) -> Any:
    return unpack(json.loads(value))


def _read_pairs(value: Packed) -> dict[Any, Any]:
    return {unpack(key): unpack(element) for key, element in value}


_WRITERS: Final[Mapping[type, tuple[str, Callable[[Any], Packed]]]] = {
    bytes: ("bytes", lambda v: base64.b64encode(v).decode()),
    bytearray: ("bytearray", lambda v: base64.b64encode(v).decode()),
    datetime: ("datetime", datetime.isoformat),  # before date, its base class
    date: ("date", date.isoformat),
    time: ("time", time.isoformat),
    timedelta: ("timedelta", lambda v: [v.days, v.seconds, v.microseconds]),
    UUID: ("uuid", str),
    Decimal: ("decimal", str),
}
_READERS: Final[Mapping[str, Callable[[Packed], Any]]] = {
    "float": float,
    "json": _read_json,
    "dict": _read_pairs,
    "tuple": lambda v: tuple(map(unpack, v)),
    "set": lambda v: set(map(unpack, v)),
    "frozenset": lambda v: frozenset(map(unpack, v)),
    "bytes": base64.b64decode,
    "bytearray": lambda v: bytearray(base64.b64decode(v)),
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda v: timedelta(*v),
    "uuid": UUID,
    "decimal": Decimal,
    "document": _read_document,
    "message": _read_message,
    "object": unpack,
    "repr": str,
}
