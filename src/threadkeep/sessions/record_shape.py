"""Validates the content of imported records by kind."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import is_dataclass
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from threadkeep.core import item_codec, names, response_codec
from threadkeep.errors import InputError
from threadkeep.messages.parse import parse
from threadkeep.types import Item, Record

_hints = functools.lru_cache(get_type_hints)


def check(record: Record, location: str) -> None:
    """Check that a record of a session can be read.

    Raises:
        InputError: it cannot; the location, the kind and the first wrong field are named.
    """
    decode = _DECODE.get(record.kind)
    if decode is None:
        return
    try:
        value = decode(record)
    except item_codec.DECODE_ERRORS as error:
        raise InputError(f"{location}: the {record.kind} cannot be read") from error
    check_fields(value, f"{location}: {record.kind}")
    if record.kind != "session" and names.key(value.id) != record.id:
        raise InputError(f"{location}: the id of the {record.kind} is not that of the line")
    if isinstance(value, Item):
        parse(value, location)


def check_fields(value: object, location: str) -> None:
    """Check that all fields of a value have their declared types.

    Raises:
        InputError: one has not; it is named.
    """
    path = _mismatch(value, type(value), location)
    if path is not None:
        raise InputError(f"{path} is of a wrong type")


def _mismatch(value: Any, hint: Any, path: str) -> str | None:
    """The path of the first part of a value that has not its declared type, or `None`."""
    if hint is Any:
        return None
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        paths = [_mismatch(value, path_of_part, path) for path_of_part in arguments]
        return None if None in paths else path
    if origin is Literal:
        return None if value in arguments else path
    if origin is not None:
        return _entry_mismatch(value, origin, arguments, path)
    if isinstance(hint, type) and (is_dataclass(hint) or hasattr(hint, "_fields")):
        return _field_mismatch(value, hint, path)
    return None if _is(value, hint) else path


def _field_mismatch(value: Any, cls: type, path: str) -> str | None:
    if not isinstance(value, cls):
        return path
    paths = (_mismatch(getattr(value, n), hint, f"{path}.{n}") for n, hint in _hints(cls).items())
    return next((path_of_part for path_of_part in paths if path_of_part), None)


def _entry_mismatch(value: Any, origin: Any, arguments: Any, path: str) -> str | None:
    if not isinstance(value, origin):
        return path
    entries: Iterable[Any] = value.values() if isinstance(value, Mapping) else value
    hint = arguments[-1] if isinstance(value, Mapping) else arguments[0]
    paths = (_mismatch(entry, hint, f"{path}[{n}]") for n, entry in enumerate(entries))
    return next((path_of_part for path_of_part in paths if path_of_part), None)


def _is(value: object, hint: type) -> bool:
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, (int, float) if hint is float else hint)


_DECODE: Final[Mapping[str, Callable[[Record], Any]]] = {
    "session": item_codec.read_session,
    "item": item_codec.decode_item,
    "file": item_codec.decode_file,
    "response": lambda record: response_codec.decode_response(record, "", None),
    response_codec.ENTRY: response_codec.decode_entry,
    "feedback": lambda record: response_codec.decode_feedback(record, ""),
}
