"""Columns of records as PostgreSQL's binary arrays.

psycopg sends arrays as text, and escapes each quote of a JSON body by a regular expression, which
took more than half of the time of a large commit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, Final

import psycopg
from psycopg.adapt import Dumper, PyFormat
from psycopg.pq import Format

_TEXT: Final = psycopg.adapters.types["text"]
_TIME: Final = psycopg.adapters.types["float8"]
_HEAD: Final = Struct("!5I")  # dimensions, has NULL, element type, length, lower bound
_SIZE: Final = Struct("!I")
_SIZED_TIME: Final = Struct("!Id")
_NULL: Final = b"\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class TextArray:
    """A `text[]`."""

    values: Sequence[str]


@dataclass(frozen=True, slots=True)
class TimeArray:
    """A `float8[]`."""

    values: Sequence[float | None]


class _TextArrayDumper(Dumper):
    format = Format.BINARY
    oid = _TEXT.array_oid

    def dump(self, obj: TextArray) -> bytes:
        array_parts = [_HEAD.pack(1, 0, _TEXT.oid, len(obj.values), 1)]
        for value in obj.values:
            value_bytes = value.encode()
            array_parts += (_SIZE.pack(len(value_bytes)), value_bytes)
        return b"".join(array_parts)


class _TimeArrayDumper(Dumper):
    format = Format.BINARY
    oid = _TIME.array_oid

    def dump(self, obj: TimeArray) -> bytes:
        array_header = _HEAD.pack(1, None in obj.values, _TIME.oid, len(obj.values), 1)
        return array_header + b"".join(
            _NULL if v is None else _SIZED_TIME.pack(8, v) for v in obj.values
        )


def register_array_dumpers(connection: psycopg.Connection[Any]) -> None:
    """Register the dumpers of both types with a connection; other types are unaffected."""
    with contextlib.suppress(psycopg.ProgrammingError):
        connection.adapters.get_dumper(TextArray, PyFormat.AUTO)
        return
    connection.adapters.register_dumper(TextArray, _TextArrayDumper)
    connection.adapters.register_dumper(TimeArray, _TimeArrayDumper)
