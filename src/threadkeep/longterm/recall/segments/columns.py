"""The columns of a segment: what is known of each of its documents but for their words."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from threadkeep.longterm.recall.document_columns import NONE
from threadkeep.longterm.recall.index import RecallIndex
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
    index_by_number = {number: document_index for document_index, number in enumerate(numbers)}
    arrays_by_column = {
        column_name: array(type_code, (getattr(index, column_name)[n] for n in numbers))
        for column_name, type_code in CODES.items()
        if column_name not in ("origins", "roles", "speakers", "before", "after")
    }
    for column_name in ("before", "after"):
        neighbour_chain = getattr(index, column_name)
        arrays_by_column[column_name] = array(
            "i", (index_by_number.get(neighbour_chain[n], NONE) for n in numbers)
        )
    names_by_column = {}
    for column_name, interned_values in (
        ("origins", index.origin_names.values),
        ("roles", index.role_names.values),
        ("speakers", index.speaker_names.values),
    ):
        index_column = getattr(index, column_name)
        new_numbers_by_number = {
            number: n for n, number in enumerate(dict.fromkeys(index_column[n] for n in numbers))
        }
        arrays_by_column[column_name] = array(
            "H", (new_numbers_by_number[index_column[n]] for n in numbers)
        )
        names_by_column[column_name] = [interned_values[number] for number in new_numbers_by_number]
    return Columns(
        arrays_by_column,
        names_by_column["origins"],
        names_by_column["roles"],
        names_by_column["speakers"],
        [],
    )


def encode(columns: Columns) -> bytes:
    """The columns as bytes."""
    header = {
        column_name: getattr(columns, column_name)
        for column_name in Columns.__slots__
        if column_name != "arrays"
    }
    byte_parts = [json.dumps(header, separators=(",", ":")).encode("utf-8", "surrogatepass")]
    byte_parts += [pieces.to_bytes(columns.arrays[column_name]) for column_name in CODES]
    return pieces.compressed(byte_parts)


def decode(content: bytes) -> Columns:
    """The columns of what `encode` made.

    Raises:
        BadPiece: it made no such thing.
    """
    header, *column_parts = pieces.parts_of(content)
    try:
        arrays_by_column = {
            column_name: pieces.from_bytes(type_code, column_bytes)
            for (column_name, type_code), column_bytes in zip(
                CODES.items(), column_parts, strict=True
            )
        }
        header_fields = json.loads(header.decode("utf-8", "surrogatepass"))
        header_fields["speakers"] = [tuple(speaker) for speaker in header_fields["speakers"]]
        return Columns(arrays_by_column, **header_fields)
    except (ValueError, TypeError, KeyError) as error:
        raise BadPiece("columns") from error
