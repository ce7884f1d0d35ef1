"""The columns of a segment: what is known of each of its documents but for their words."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from threadkeep.longterm.recall.index import NONE, RecallIndex
from threadkeep.longterm.recall.segments import pieces
from threadkeep.longterm.recall.segments.pieces import BadPiece

CODES: Final[Mapping[str, str]] = {
    "origins": "H", "seqs": "q", "keys": "Q", "written_at": "d", "times": "d", "roles": "H",
    "speakers": "H", "flags": "B", "statement_lengths": "H", "question_lengths": "H",
    "context_lengths": "I", "before": "i", "after": "i",
}  # fmt: skip
"""The columns, in the order in which they are stored."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a segment.

    Attributes:
        arrays: by name; `before` and `after` are numbers within the segment.
        origins: the ids of its sessions, by their number in it.
        roles: by number.
        speakers: the stems of speakers' names, by number.
        directory: of each piece of postings, the first stem.
        vocabulary: the number of the first piece of the vocabulary; those of postings follow.
        vocabulary_pieces: how many pieces the vocabulary has.
    """

    arrays: dict[str, array[Any]]
    origins: list[str]
    roles: list[str]
    speakers: list[tuple[str, ...]]
    directory: list[str]
    vocabulary: int = 0
    vocabulary_pieces: int = 0

    def __len__(self) -> int:
        return len(self.arrays["seqs"])


def gather(index: RecallIndex, numbers: Sequence[int]) -> Columns:
    """The columns of some documents of an index, in this order; chains stay among them."""
    places = {number: place for place, number in enumerate(numbers)}
    arrays = {
        name: array(code, (getattr(index, name)[n] for n in numbers))
        for name, code in CODES.items()
        if name not in ("origins", "roles", "speakers", "before", "after")
    }
    for name in ("before", "after"):
        chain = getattr(index, name)
        arrays[name] = array("i", (places.get(chain[n], NONE) for n in numbers))
    names = {}
    for name, values in (
        ("origins", index.origin_names.values),
        ("roles", index.role_names.values),
        ("speakers", index.speaker_names.values),
    ):
        column = getattr(index, name)
        local = {number: n for n, number in enumerate(dict.fromkeys(column[n] for n in numbers))}
        arrays[name] = array("H", (local[column[n]] for n in numbers))
        names[name] = [values[number] for number in local]
    return Columns(arrays, names["origins"], names["roles"], names["speakers"], [])


def encode(columns: Columns) -> bytes:
    """The columns as bytes."""
    header = {name: getattr(columns, name) for name in Columns.__slots__ if name != "arrays"}
    parts = [json.dumps(header, separators=(",", ":")).encode("utf-8", "surrogatepass")]
    parts += [pieces.to_bytes(columns.arrays[name]) for name in CODES]
    return pieces.compressed(parts)


def decode(content: bytes) -> Columns:
    """The columns of what `encode` made.

    Raises:
        BadPiece: it made no such thing.
    """
    header, *parts = pieces.parts_of(content)
    try:
        arrays = {
            name: pieces.from_bytes(code, part)
            for (name, code), part in zip(CODES.items(), parts, strict=True)
        }
        fields = json.loads(header.decode("utf-8", "surrogatepass"))
        fields["speakers"] = [tuple(speaker) for speaker in fields["speakers"]]
        return Columns(arrays, **fields)
    except (ValueError, TypeError, KeyError) as error:
        raise BadPiece("columns") from error
