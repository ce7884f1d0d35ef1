"""What is known of each document but for its words: parallel columns, by document number."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any, Final, NamedTuple

from threadkeep.longterm.recall.analyzer import IndexedDocument

NONE: Final = -1
"""The number of no document."""

_TYPE_CODES: Final = {
    "origins": "I", "seqs": "q", "keys": "Q", "written_at": "d", "times": "d", "roles": "H",
    "speakers": "I", "flags": "B", "statement_lengths": "H",
    "question_lengths": "H", "context_lengths": "I",
    "before": "i", "after": "i", "alive": "B",
}  # fmt: skip
_PLAIN_COLUMNS: Final = (
    "seqs", "keys", "written_at", "times", "flags", "statement_lengths", "question_lengths",
    "context_lengths",
)  # fmt: skip
DOCUMENT_BYTES: Final = sum(array(type_code).itemsize for type_code in _TYPE_CODES.values())
_MAX_LENGTH: Final = 0xFFFF


class LoadedNames(NamedTuple):
    """The names in the columns of a segment, by their number in it."""

    origins: Sequence[str]
    roles: Sequence[str]
    speakers: Sequence[tuple[str, ...]]


class Interner:
    """Numbers for values that come again and again."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.numbers_by_value: dict[Any, int] = {}

    def number(self, value: Any) -> int:
        """The value's number, which it keeps."""
        number = self.numbers_by_value.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


class DocumentColumns:
    """The columns of documents, in the order they came.

    Attributes:
        origin_names: session ids and fact ids, by number.
        role_names: roles, by number.
        speaker_names: the stems of speakers' names, by number.
        speaker_counts: how many documents each of those names speaks in.
        live_count: how many documents there are.
    """

    origins: array[int]
    seqs: array[int]
    keys: array[int]
    written_at: array[float]
    times: array[float]
    roles: array[int]
    speakers: array[int]
    flags: array[int]
    statement_lengths: array[int]
    question_lengths: array[int]
    context_lengths: array[int]
    before: array[int]
    after: array[int]
    alive: array[int]

    def __init__(self) -> None:
        for column_name, type_code in _TYPE_CODES.items():
            setattr(self, column_name, array(type_code))
        self.origin_names, self.role_names, self.speaker_names = Interner(), Interner(), Interner()
        self.speaker_counts: Counter[int] = Counter()
        self.live_count = 0

    def __len__(self) -> int:
        """Documents with those that are gone but still take up room."""
        return len(self.alive)

    def of_origin(self, origin: str) -> list[int]:
        """The documents of a session, or of a fact."""
        origin_number = self.origin_names.numbers_by_value.get(origin, NONE)
        return [
            document_number
            for document_number, document_origin in enumerate(self.origins)
            if document_origin == origin_number and self.alive[document_number]
        ]

    def oldest(self, count: int) -> list[int]:
        """The documents of the earliest times, so many."""
        live_documents = (n for n in range(len(self)) if self.alive[n])
        return heapq.nsmallest(count, live_documents, key=lambda n: (self.times[n], n))

    def _append_row(self, document: IndexedDocument) -> int:
        """A row for a document; its number."""
        speaker_number = self.speaker_names.number(document.speaker)
        self.speaker_counts[speaker_number] += 1
        values_by_column = {
            "origins": self.origin_names.number(document.origin),
            "seqs": document.seq,
            "keys": document.key,
            "written_at": document.written_at,
            "times": document.time,
            "roles": self.role_names.number(document.role),
            "speakers": speaker_number,
            "flags": document.flags,
            "statement_lengths": min(document.statement_length, _MAX_LENGTH),
            "question_lengths": min(document.question_length, _MAX_LENGTH),
            "context_lengths": 0,
            "before": NONE,
            "after": NONE,
            "alive": 1,
        }
        for column_name, column_value in values_by_column.items():
            getattr(self, column_name).append(column_value)
        self.live_count += 1
        return len(self.alive) - 1

    def _mark_gone(self, number: int) -> None:
        self.alive[number] = 0
        self.live_count -= 1
        self.speaker_counts[self.speakers[number]] -= 1

    def _extend_rows(self, columns: Mapping[str, array[Any]], names: LoadedNames) -> int:
        """Rows for the documents of a segment, whose numbers are its own; the first of theirs."""
        first_number = len(self)
        for column_name, interner, segment_values in (
            ("origins", self.origin_names, names.origins),
            ("roles", self.role_names, names.roles),
            ("speakers", self.speaker_names, names.speakers),
        ):
            interned_numbers = [interner.number(segment_value) for segment_value in segment_values]
            getattr(self, column_name).extend([interned_numbers[n] for n in columns[column_name]])
        for column_name in ("before", "after"):
            renumbered_chain = [n + first_number if n >= 0 else NONE for n in columns[column_name]]
            getattr(self, column_name).extend(renumbered_chain)
        for column_name in _PLAIN_COLUMNS:
            getattr(self, column_name).extend(columns[column_name])
        self.alive.frombytes(b"\1" * len(columns["seqs"]))
        self.speaker_counts.update(self.speakers[first_number:])
        self.live_count += len(columns["seqs"])
        return first_number

    def _compact_rows(self) -> list[int]:
        """Take out the rows of what is gone; the new numbers by the old ones."""
        new_numbers = [NONE] * len(self)
        for new_number, old_number in enumerate(compress(range(len(self)), self.alive)):
            new_numbers[old_number] = new_number
        alive_flags = self.alive
        for column_name, type_code in _TYPE_CODES.items():
            live_values = compress(getattr(self, column_name), alive_flags)
            setattr(self, column_name, array(type_code, live_values))
        for neighbour_chain in (self.before, self.after):
            for row_number, old_number in enumerate(neighbour_chain):
                neighbour_chain[row_number] = new_numbers[old_number] if old_number >= 0 else NONE
        return new_numbers
