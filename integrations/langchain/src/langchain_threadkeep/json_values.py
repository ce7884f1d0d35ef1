"""Values that are not JSON, as JSON that says what they were; nothing ever fails to be stored."""

from __future__ import annotations

import base64
import dataclasses
import enum
import functools
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

TAG: Final = "$threadkeep"
Packed = Any  # JSON

_DEEP: Final = 200
_log = logging.getLogger("threadkeep.langchain")


def pack(value: Any, depth: int = 0) -> Packed:
    """The value as JSON: itself where it is JSON, else tagged.

    Models and dataclasses come back as a dict of their fields, unknown objects as their `repr`;
    both are logged, once per class.
    """
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if depth > _DEEP:
        return _tagged("repr", f"{kind.__name__} nested more than {_DEEP} deep")
    if isinstance(value, Mapping):
        return _mapping(value, depth)
    if kind is list:
        return [pack(entry, depth + 1) for entry in value]
    if kind is float:
        return value if math.isfinite(value) else _tagged("float", repr(value))
    return _other(value, depth)


def unpack(value: Packed) -> Any:
    """What was packed; a tag nobody knows comes back as it is."""
    if isinstance(value, list):
        return [unpack(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    read = _READERS.get(value.get(TAG, "")) if TAG in value else None
    if read is not None:
        return read(value["v"])
    return {key: unpack(entry) for key, entry in value.items()}


def _tagged(tag: str, value: Packed, **more: Packed) -> Packed:
    return {TAG: tag, "v": value, **more}


def _mapping(value: Mapping[Any, Any], depth: int) -> Packed:
    if TAG not in value and all(type(key) is str for key in value):
        return {key: pack(entry, depth + 1) for key, entry in value.items()}
    return _tagged("dict", [[pack(k, depth + 1), pack(v, depth + 1)] for k, v in value.items()])


def _other(value: Any, depth: int) -> Packed:
    if isinstance(value, enum.Enum):
        return pack(value.value, depth + 1)
    for kind, (tag, write) in _WRITERS.items():
        if isinstance(value, kind):
            return _tagged(tag, write(value))
    if isinstance(value, (str, int, float)):  # subclasses
        plain = next(base for base in (str, int, float) if isinstance(value, base))
        return pack(plain(value), depth + 1)
    if isinstance(value, (list, tuple, set, frozenset)):
        name = next(k for k in (list, tuple, set, frozenset) if isinstance(value, k)).__name__
        entries = [pack(entry, depth + 1) for entry in value]
        if name == "list":
            return entries
        return _tagged(name, entries if name == "tuple" else sorted(entries, key=repr))
    return _object(value, depth)


def _object(value: Any, depth: int) -> Packed:
    cls = f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, BaseMessage):
        return _tagged("message", pack(message_to_dict(value), depth + 1))
    if isinstance(value, Document):
        return _tagged("document", pack(dict(value), depth + 1))
    _report(cls)
    if isinstance(value, BaseModel):
        return _tagged("object", pack(dict(value), depth + 1), cls=cls)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return _tagged("object", pack(fields, depth + 1), cls=cls)
    try:
        text = repr(value)
    except Exception:  # whatever a stranger's __repr__ raises, the message is kept
        text = f"<{cls}>"
    return _tagged("repr", text, cls=cls)


@functools.lru_cache(maxsize=256)
def _report(cls: str) -> None:
    _log.warning("a %s in a message is not JSON: it will come back as plain data", cls)


def _document(value: Packed) -> Document:
    return Document(**unpack(value))


def _message(value: Packed) -> BaseMessage:
    return messages_from_dict([unpack(value)])[0]


def _pairs(value: Packed) -> dict[Any, Any]:
    return {unpack(key): unpack(entry) for key, entry in value}


_WRITERS: Final[Mapping[type, tuple[str, Callable[[Any], Packed]]]] = {
    bytes: ("bytes", lambda v: base64.b64encode(v).decode()),
    bytearray: ("bytearray", lambda v: base64.b64encode(v).decode()),
    datetime: ("datetime", datetime.isoformat),  # before date, which it is too
    date: ("date", date.isoformat),
    time: ("time", time.isoformat),
    timedelta: ("timedelta", lambda v: [v.days, v.seconds, v.microseconds]),
    UUID: ("uuid", str),
    Decimal: ("decimal", str),
}
_READERS: Final[Mapping[str, Callable[[Packed], Any]]] = {
    "float": float,
    "dict": _pairs,
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
    "document": _document,
    "message": _message,
    "object": unpack,
    "repr": str,
}
