"""Pieces: bytes as records, compressed, and checked when they are read again."""

from __future__ import annotations

import base64
import json
import sys
import zlib
from array import array
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Final

from threadkeep.sessions.recall_segments import PIECE
from threadkeep.types import Record

MAX_PIECE: Final = 700_000
"""Bytes of a piece before they become text, which takes a third more: under 1 MB in the store."""

_CHECK: Final = 8
_LENGTH: Final = 4


class BadPiece(Exception):
    """A piece is not there, or is not what was written."""


def piece_record(
    segment: str, number: int, content: bytes, now: float, expires: float | None
) -> Record:
    """The record of a piece."""
    piece_id = f"{segment}.{number}"
    encoded_content = base64.b64encode(_check(piece_id, content) + content).decode("ascii")
    return Record(PIECE, piece_id, f'"{encoded_content}"', now, expires)


def content_of(record: Record) -> bytes:
    """What is in a piece.

    Raises:
        BadPiece: it is another one, or was damaged.
    """
    try:
        piece_bytes = base64.b64decode(json.loads(record.body), validate=True)
    except (ValueError, TypeError) as error:
        raise BadPiece(record.id) from error
    content_bytes = piece_bytes[_CHECK:]
    if piece_bytes[:_CHECK] != _check(record.id, content_bytes):
        raise BadPiece(record.id)
    return content_bytes


def compressed(parts: Iterable[bytes]) -> bytes:
    """Several parts as one."""
    joined_parts = b"".join(len(part).to_bytes(_LENGTH, "little") + part for part in parts)
    return zlib.compress(joined_parts, 6)


def parts_of(content: bytes) -> list[bytes]:
    """The parts of what `compressed` made.

    Raises:
        BadPiece: it made no such thing.
    """
    try:
        joined_parts = zlib.decompress(content)
    except zlib.error as error:
        raise BadPiece("compression") from error
    parts, part_start = [], 0
    while part_start < len(joined_parts):
        part_end = (
            part_start
            + _LENGTH
            + int.from_bytes(joined_parts[part_start : part_start + _LENGTH], "little")
        )
        parts.append(joined_parts[part_start + _LENGTH : part_end])
        part_start = part_end
    return parts


def split(content: bytes) -> list[bytes]:
    """What is too large for one piece, as several."""
    return [content[i : i + MAX_PIECE] for i in range(0, len(content), MAX_PIECE)] or [b""]


def to_bytes(numbers: array[Any]) -> bytes:
    """An array, the same on every machine."""
    if sys.byteorder == "big":
        numbers = array(numbers.typecode, numbers)
        numbers.byteswap()
    return numbers.tobytes()


def from_bytes(code: str, content: bytes) -> array[Any]:
    """The array that `to_bytes` was given."""
    number_array = array(code)
    number_array.frombytes(content)
    if sys.byteorder == "big":
        number_array.byteswap()
    return number_array


def _check(id: str, content_bytes: bytes) -> bytes:
    return blake2b(id.encode() + content_bytes, digest_size=_CHECK).digest()
