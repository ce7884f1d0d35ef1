r"""The file format: a commit is one line, `<crc32> <head>(\t<row>)*\n`.

The head is a JSON object, each row a JSON array `[kind, id, seq, at, expires, body]`, ordered by
seq. JSON escapes tabs and line feeds, so they can be separators; the checksum covers everything
after the blank. The first line of a file is its header and has no rows.

A head describes the whole stream, so that reading the last line is enough:

    v  version (0 = the stream was dropped)     q  last seq given      b  last seq given before it
    e  the stream's expiry                      o  offset of the first line of this generation
    l  the ttl that led to it
    h  {kind: [offset of the newest line that mentions it, records, their bytes, floor, expiry]}:
       upper bounds of records and bytes; seqs up to the floor are dropped; `expiry` is the earliest
    c  {kind: offset of the previous line that mentions it}, for the kinds this line mentions
    d  {kind: [ids dropped]}                    t  [token, version]    k  offset of the line with t
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from zlib import crc32

from threadkeep.types import Record

FORMAT: Final = 1
_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
_quote = json.encoder.encode_basestring
dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_CODEC: Final = ("utf-8", "surrogatepass")

Row = list[Any]
"""kind, id, seq, at, expires, body."""


class KindState(NamedTuple):
    """A head's entry for a kind; `expires` is the earliest expiry of its records, if any."""

    last: int
    records: int = 0
    size: int = 0
    floor: int = 0
    expires: float | None = None


class LogLine(NamedTuple):
    """A complete line: its offsets in the file, its head, and its rows as unparsed text."""

    offset: int
    end: int
    head: dict[str, Any]
    text: str
    rows_offset: int

    def rows(self) -> Iterator[Row]:
        """Yield all rows."""
        row_end, line_text = self.rows_offset, self.text
        while row_end < len(line_text):
            row, row_end = _scan(line_text, row_end + 1)
            yield row

    def rows_with_text(self) -> Iterator[tuple[Row, str]]:
        """Yield all rows with their text."""
        row_end, line_text = self.rows_offset, self.text
        while row_end < len(line_text):
            row_start = row_end + 1
            row, row_end = _scan(line_text, row_start)
            yield row, line_text[row_start:row_end]

    def rows_reversed(self, kind: str) -> Iterator[Row]:
        """Yield the rows of a kind, last first; parses only those consumed."""
        line_text, first_row_offset = self.text, self.rows_offset
        kind_prefix = f"[{_quote(kind)},"
        separator_offset = len(line_text)
        while separator_offset > first_row_offset:
            separator_offset = line_text.rfind("\t", first_row_offset, separator_offset)
            if line_text.startswith(kind_prefix, separator_offset + 1):
                yield _scan(line_text, separator_offset + 1)[0]

    def row(self, kind: str, id: str) -> tuple[Row, int] | None:
        """The row of a record and its size in bytes; does not parse other rows."""
        row_start = self.text.find(f"\t[{_quote(kind)},{_quote(id)},", self.rows_offset)
        if row_start < 0:
            return None
        row, row_end = _scan(self.text, row_start + 1)
        return row, size(self.text[row_start + 1 : row_end])


def parse(raw: bytes, offset: int) -> LogLine | None:
    """Parse the bytes of a line, including its line feed; `None` = damaged."""
    content_bytes = raw[9:-1]
    if raw[:9] != b"%08x " % crc32(content_bytes):
        return None
    try:
        line_text = content_bytes.decode(*_CODEC)
        head_fields, rows_offset = _scan(line_text, 0)
    except (ValueError, StopIteration):
        return None
    return (
        LogLine(offset, offset + len(raw), head_fields, line_text, rows_offset)
        if type(head_fields) is dict
        else None
    )


def render(head_fields: dict[str, Any], row_texts: list[str]) -> bytes:
    """Encode a line."""
    content_bytes = "\t".join((dumps(head_fields), *row_texts)).encode(*_CODEC)
    return b"%08x %b\n" % (crc32(content_bytes), content_bytes)


def header(stream: str, generation: str) -> bytes:
    """Encode the first line of a file; `Log.generation` reads the generation at a fixed offset."""
    return render({"g": generation, "s": stream, "threadkeep": FORMAT}, [])


def row_text(record: Record, seq: int) -> str:
    """Encode a record as the text of a row."""
    expires_text = "null" if record.expires is None else _number(record.expires)
    return (
        f"[{_quote(record.kind)},{_quote(record.id)},{seq},"
        f"{_number(record.at)},{expires_text},{_quote(record.body)}]"
    )


def size(text: str) -> int:
    """The number of bytes a row takes in the file."""
    return len(text) + 1 if text.isascii() else len(text.encode(*_CODEC)) + 1


def _number(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else dumps(float(value))
