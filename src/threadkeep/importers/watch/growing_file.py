"""The complete lines of a file that grows; notices when it was cut off or replaced."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from threadkeep.importers.json_entries import MAX_ENTRY, entry, parsed
from threadkeep.importers.values import JsonEntry, Skip

_MARK: Final = 512  # bytes before a position that tell whether the file is still the same
_BOM: Final = b"\xef\xbb\xbf"


class Position(NamedTuple):
    """How far a file was read.

    Attributes:
        offset: bytes.
        line: lines.
        mark: a digest of the last bytes before the offset.
    """

    offset: int = 0
    line: int = 0
    mark: str = ""

    def to_json(self) -> list[Any]:
        """The position as a list of JSON."""
        return list(self)

    @classmethod
    def of_json(cls, value: object) -> Position:
        """The position of a list; the beginning for anything else."""
        if not isinstance(value, list) or [*map(type, value)] != [int, int, str]:
            return cls()
        return cls(*value) if value[0] >= 0 and value[1] >= 0 else cls()


class Stamp(NamedTuple):
    """What changes when a file does."""

    size: int
    modified: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """The stamp of a file's status."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)


def is_continued(file: IO[bytes], position: Position) -> bool:
    """Return True if the file still has what was read of it, as far as its end tells."""
    return position.offset == 0 or _mark(file, position.offset) == position.mark


class Lines:
    """The entries between a position and the end of a file; iterate once.

    The last line counts when it is complete: it ends with a line break, or is a JSON object.

    Args:
        file: opened for reading.
        label: as errors name it.
        start: where to begin.
        skip: told of lines that are no JSON.
        end: where to stop; `None` = at the end of what is there.

    Attributes:
        offset: the bytes that were read to the end.
        line: the lines that were read to the end.
    """

    def __init__(
        self,
        file: IO[bytes],
        label: str,
        start: Position,
        skip: Skip,
        end: int | None = None,
    ) -> None:
        self._file, self._label, self._skip = file, label, skip
        self.offset, self.line = start.offset, start.line
        self._end = end

    def __iter__(self) -> Iterator[JsonEntry]:
        self._file.seek(self.offset)
        while self._end is None or self.offset < self._end:
            line, line_size = self._next()
            if not line_size:
                return
            location = f"{self._label}:{self.line + 1}"
            if line is None or line.strip():
                line_text = None if line is None else line.decode("utf-8", "backslashreplace")
                yield from entry(line_text, location, self._skip)
            self.offset += line_size
            self.line += 1

    def position(self) -> Position:
        """How far it was read."""
        return Position(self.offset, self.line, _mark(self._file, self.offset))

    def _next(self) -> tuple[bytes | None, int]:
        """The next complete line, `None` if it is too long, and its size; 0 = there is none."""
        line = self._file.readline(MAX_ENTRY)
        if line.endswith(b"\n") or (len(line) < MAX_ENTRY and _is_complete(line)):
            return line.removeprefix(_BOM) if self.offset == 0 else line, len(line)
        return (None, self._rest_of_line(len(line))) if len(line) >= MAX_ENTRY else (b"", 0)

    def _rest_of_line(self, line_size: int) -> int:
        while chunk := self._file.readline(MAX_ENTRY):
            line_size += len(chunk)
            if chunk.endswith(b"\n"):
                return line_size
        return 0


def label_of(path: Path, folder: Path) -> str:
    """How a file of a folder is named in errors, as by an import of the folder."""
    return path.relative_to(folder).as_posix() if path != folder else path.name


def _is_complete(line: bytes) -> bool:
    """Return True for an object; no beginning of an object is one itself."""
    try:
        return isinstance(parsed(line), dict)
    except ValueError:
        return False


def _mark(file: IO[bytes], offset: int) -> str:
    start = max(0, offset - _MARK)
    file.seek(start)
    tail_bytes = file.read(offset - start)
    return hashlib.sha256(tail_bytes).hexdigest()[:16] if len(tail_bytes) == offset - start else ""
