r"""How a commit stands in the file: one line, `<crc32> <head>(\t<row>)*\n`.

The head is a JSON object, each row a JSON array `[kind, id, seq, at, expires, body]`, in the
order of their seqs. JSON escapes tabs and line feeds, so they frame; the checksum is taken over
all that follows the blank. The first line of a file is its header and has no rows.

A head holds what a reader needs to know of the whole stream, so that the last line is enough:

    v  version (0 = the stream was dropped)     q  last seq given      b  last seq given before it
    e  the stream's expiry                      o  offset of the first line of this life
    h  {kind: [offset of the newest line that mentions it, records, their bytes, floor, expiry]}:
       at most so many records; those up to the floor are dropped; none expires before the expiry
    c  {kind: offset of the line before that mentioned it}, for the kinds this line mentions
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


class Place(NamedTuple):
    """What a head knows of a kind; `expires` is the earliest expiry of a record, if any has one."""

    last: int
    records: int = 0
    size: int = 0
    floor: int = 0
    expires: float | None = None


class Line(NamedTuple):
    """A whole line: where it begins and ends in the file, its head, and its rows still as text."""

    offset: int
    end: int
    head: dict[str, Any]
    text: str
    rows_at: int

    def rows(self) -> Iterator[Row]:
        """All rows."""
        at, text = self.rows_at, self.text
        while at < len(text):
            row, at = _scan(text, at + 1)
            yield row

    def texts(self) -> Iterator[tuple[Row, str]]:
        """All rows, and their text."""
        at, text = self.rows_at, self.text
        while at < len(text):
            start = at + 1
            row, at = _scan(text, start)
            yield row, text[start:at]

    def rows_back(self, kind: str) -> Iterator[Row]:
        """The rows of a kind, last first; only those asked for are parsed."""
        text, start = self.text, self.rows_at
        mark = f"[{_quote(kind)},"
        end = len(text)
        while end > start:
            end = text.rfind("\t", start, end)
            if text.startswith(mark, end + 1):
                yield _scan(text, end + 1)[0]

    def row(self, kind: str, id: str) -> tuple[Row, int] | None:
        """The row of a record and its size in bytes, found without parsing the others."""
        at = self.text.find(f"\t[{_quote(kind)},{_quote(id)},", self.rows_at)
        if at < 0:
            return None
        row, end = _scan(self.text, at + 1)
        return row, size(self.text[at + 1 : end])


def parse(raw: bytes, offset: int) -> Line | None:
    """The line that these bytes are, its line feed included; `None` = damaged."""
    body = raw[9:-1]
    if raw[:9] != b"%08x " % crc32(body):
        return None
    try:
        text = body.decode(*_CODEC)
        head, rows_at = _scan(text, 0)
    except (ValueError, StopIteration):
        return None
    return Line(offset, offset + len(raw), head, text, rows_at) if type(head) is dict else None


def render(head: dict[str, Any], rows: list[str]) -> bytes:
    """The bytes of a line."""
    body = "\t".join((dumps(head), *rows)).encode(*_CODEC)
    return b"%08x %b\n" % (crc32(body), body)


def header(stream: str, generation: str) -> bytes:
    """The first line of a file; the generation stands where `generation_of` finds it."""
    return render({"g": generation, "s": stream, "threadkeep": FORMAT}, [])


def row_text(record: Record, seq: int) -> str:
    """A record as the text of a row."""
    expires = "null" if record.expires is None else _number(record.expires)
    return (
        f"[{_quote(record.kind)},{_quote(record.id)},{seq},"
        f"{_number(record.at)},{expires},{_quote(record.body)}]"
    )


def size(text: str) -> int:
    """How many bytes a row takes in the file."""
    return len(text) + 1 if text.isascii() else len(text.encode(*_CODEC)) + 1


def _number(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else dumps(float(value))
