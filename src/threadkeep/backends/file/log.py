"""One open log file: finds and appends lines. Appending requires the file's lock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final

from threadkeep.backends.file import line_format, log_damage
from threadkeep.backends.file.line_format import LogLine
from threadkeep.printable import counted

BLOCK: Final = 16 * 1024
_GENERATION: Final = slice(15, 31)  # of `xxxxxxxx {"g":"0123456789abcdef",`


class Log:
    """The lines of an open file, up to its size when this object was created.

    Complete lines never change while the descriptor is open: a compaction creates another file.
    So a reader that starts from one line sees one snapshot, whatever others append.
    """

    __slots__ = ("_block", "_low", "fd", "path", "size")

    def __init__(self, fd: int, path: str) -> None:
        self.fd = fd
        self.path = path
        self.size = os.fstat(fd).st_size
        self._low = 0
        self._block = b""

    def close(self) -> None:
        """Close the descriptor; may be called twice."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def refresh_size(self) -> None:
        """Read the current size, to include lines appended since."""
        self.size = os.fstat(self.fd).st_size

    def generation(self) -> str:
        """The random id that distinguishes this file from earlier ones; `""` = no header."""
        return read(self.fd, 0, _GENERATION.stop)[_GENERATION].decode("ascii", "replace")

    def header(self) -> dict[str, Any] | None:
        """The head of the first line, if it is complete."""
        first_line = self.line_at(0)
        return first_line.head if first_line and "threadkeep" in first_line.head else None

    def line_at(self, offset: int, back: int = 0) -> LogLine | None:
        """The line at an offset; `None` = it is damaged or incomplete.

        Args:
            back: how many bytes before it to load too, since they are read next.
        """
        line_bytes = self._line_bytes(offset, back)
        return line_format.parse(line_bytes, offset) if line_bytes else None

    def last(self) -> LogLine | None:
        """The newest complete commit."""
        self._load(max(0, self.size - BLOCK), self.size)
        return self.last_before(self.size)

    def last_before(self, end: int) -> LogLine | None:
        """The newest complete commit that ends at or before an offset."""
        end_offset = self._line_start_before(end)
        while end_offset:
            start_offset = self._line_start_before(end_offset - 1)
            log_line = self.line_at(start_offset, BLOCK)
            if log_line:
                return log_line if "v" in log_line.head else None
            self.warn_damaged(start_offset)
            end_offset = start_offset
        return None

    def forward(self, start: int) -> Iterator[tuple[int, LogLine | None]]:
        """Yield each line from `start` on (`None` = damaged), with the offset of its end."""
        while line_bytes := self._line_bytes(start, 0, 4 * BLOCK):
            log_line = line_format.parse(line_bytes, start)
            if log_line is None:
                self.warn_damaged(start)
            start += len(line_bytes)
            yield start, log_line

    def commits(self, start: int) -> Iterator[LogLine]:
        """The complete commits from an offset on, where a line begins."""
        return (line for _, line in self.forward(start) if line and "v" in line.head)

    def seek(self, seq: int, search_start: int, search_end: int) -> int:
        """The offset to start from to read all commits that assigned `seq` or later ones."""
        while search_end - search_start > 4 * BLOCK:
            middle_offset = (search_start + search_end) // 2
            next_line = next(self.commits(self._line_start_after(middle_offset)), None)
            if next_line is None or next_line.offset >= search_end:
                search_end = middle_offset
            elif next_line.head["q"] >= seq:
                search_end = next_line.offset
            else:
                search_start = next_line.end
        return search_start

    def append(self, raw: bytes, end: int) -> None:
        """Append bytes at `end`, in one write, after cutting off a torn line there.

        Raises:
            OSError: the line was not written, or not completely.
        """
        if self.size > end:
            log_damage.warn_once(
                self.path, end, f"cut {counted(self.size - end, 'byte')} of a torn commit off"
            )
            self.truncate(end)
        try:
            written_count = os.write(self.fd, raw)
            while written_count < len(raw):  # only if the system took just a part
                written_count += os.write(self.fd, memoryview(raw)[written_count:])
        except BaseException:
            self.truncate(end)
            raise
        self.size = end + len(raw)

    def truncate(self, end: int) -> None:
        """Cut the file off at an offset."""
        os.ftruncate(self.fd, end)
        self.size = end
        self._block = b""

    def warn_damaged(self, offset: int) -> None:
        log_damage.warn_once(self.path, offset, "skipped a commit that is damaged: see to the disk")

    def _line_bytes(self, offset: int, back: int, reach: int = BLOCK // 4) -> bytes | None:
        """The bytes of the line at an offset, including its line feed."""
        line_index = offset - self._low
        line_feed_index = self._block.find(b"\n", line_index) if line_index >= 0 else -1
        while line_feed_index < 0:
            end_offset = min(self.size, offset + reach)
            if offset >= self.size:
                return None
            self._load(max(0, offset - back), end_offset)
            line_index = offset - self._low
            line_feed_index = self._block.find(b"\n", line_index)
            if line_feed_index < 0 and end_offset >= self.size:
                return None
            reach *= 4
        return self._block[line_index : line_feed_index + 1]

    def _line_start_before(self, end: int) -> int:
        """The offset after the last line feed before `end`; 0 = there is none."""
        read_size = BLOCK
        while True:
            end_index = end - self._low
            if 0 <= end_index <= len(self._block):
                line_feed_index = self._block.rfind(b"\n", 0, end_index)
                if line_feed_index >= 0 or self._low == 0:
                    return self._low + line_feed_index + 1 if line_feed_index >= 0 else 0
            self._load(max(0, end - read_size), end)
            read_size *= 4

    def _line_start_after(self, offset: int) -> int:
        """The offset of the first line that begins after an offset."""
        line_bytes = self._line_bytes(offset, 0)
        return offset + len(line_bytes) if line_bytes else self.size

    def _load(self, start_offset: int, end_offset: int) -> None:
        self._block = read(self.fd, start_offset, end_offset - start_offset)
        self._low = start_offset
        if len(self._block) < end_offset - start_offset:  # another process cut a torn end off
            self.size = start_offset + len(self._block)


def read(fd: int, offset: int, count: int) -> bytes:
    """Read `count` bytes at an offset, fewer only at the end of the file."""
    if not hasattr(os, "pread"):  # Windows; a descriptor belongs to one call
        os.lseek(fd, offset, os.SEEK_SET)
        return os.read(fd, count)
    return os.pread(fd, count, offset)
