"""One open file: finding and adding lines. Whoever adds holds the file's lock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final

from threadkeep.backends.file import line_format, log_damage
from threadkeep.backends.file.line_format import Line

BLOCK: Final = 16 * 1024
_GENERATION: Final = slice(15, 31)  # of `xxxxxxxx {"g":"0123456789abcdef",`


class Log:
    """Lines of the file behind a descriptor, as far as it reached when this was made.

    What is whole never changes as long as the descriptor is open: a compaction makes another
    file. So whoever starts from one line sees one snapshot, however others write.
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

    def grow(self) -> None:
        """See what was added since."""
        self.size = os.fstat(self.fd).st_size

    def generation(self) -> str:
        """What tells this file from those that had its name before; `""` = no header."""
        return read(self.fd, 0, _GENERATION.stop)[_GENERATION].decode("ascii", "replace")

    def header(self) -> dict[str, Any] | None:
        """The first line, if it is whole."""
        line = self.at(0)
        return line.head if line and "threadkeep" in line.head else None

    def at(self, offset: int, back: int = 0) -> Line | None:
        """The line that begins there; `None` = it is damaged, or has no end.

        Args:
            back: how much of what stands before it will be wanted next.
        """
        raw = self._raw(offset, back)
        return line_format.parse(raw, offset) if raw else None

    def last(self) -> Line | None:
        """The newest commit that is whole."""
        self._load(max(0, self.size - BLOCK), self.size)
        return self.before(self.size)

    def before(self, end: int) -> Line | None:
        """The newest whole commit that ends at or before a place."""
        stop = self._after_feed(end)
        while stop:
            start = self._after_feed(stop - 1)
            line = self.at(start, BLOCK)
            if line:
                return line if "v" in line.head else None
            self.tell_damaged(start)
            stop = start
        return None

    def forward(self, start: int) -> Iterator[tuple[int, Line | None]]:
        """Where each line ends, and the line (`None` = damaged), from one that begins there."""
        while raw := self._raw(start, 0, 4 * BLOCK):
            line = line_format.parse(raw, start)
            if line is None:
                self.tell_damaged(start)
            start += len(raw)
            yield start, line

    def commits(self, start: int) -> Iterator[Line]:
        """The whole commits from a place on, where a line begins."""
        return (line for _, line in self.forward(start) if line and "v" in line.head)

    def seek(self, seq: int, low: int, high: int) -> int:
        """Where to go forward from to meet all commits that gave `seq` or later ones."""
        while high - low > 4 * BLOCK:
            middle = (low + high) // 2
            line = next(self.commits(self._next_start(middle)), None)
            if line is None or line.offset >= high:
                high = middle
            elif line.head["q"] >= seq:
                high = line.offset
            else:
                low = line.end
        return low

    def append(self, raw: bytes, end: int) -> None:
        """Add bytes after `end`, in one write; what is torn there is cut off first.

        Raises:
            OSError: they are not there, or not all of them and so no line.
        """
        if self.size > end:
            log_damage.once(self.path, end, f"cut {self.size - end} bytes of a torn commit off")
            self.cut(end)
        try:
            written = os.write(self.fd, raw)
            while written < len(raw):  # only where the system would not take it at once
                written += os.write(self.fd, memoryview(raw)[written:])
        except BaseException:
            self.cut(end)
            raise
        self.size = end + len(raw)

    def cut(self, end: int) -> None:
        """Forget everything from there on."""
        os.ftruncate(self.fd, end)
        self.size = end
        self._block = b""

    def tell_damaged(self, offset: int) -> None:
        log_damage.once(self.path, offset, "skipped a commit that is damaged: see to the disk")

    def _raw(self, offset: int, back: int, ahead: int = BLOCK // 4) -> bytes | None:
        """The bytes of a line up to its line feed."""
        at = offset - self._low
        stop = self._block.find(b"\n", at) if at >= 0 else -1
        while stop < 0:
            high = min(self.size, offset + ahead)
            if offset >= self.size:
                return None
            self._load(max(0, offset - back), high)
            at = offset - self._low
            stop = self._block.find(b"\n", at)
            if stop < 0 and high >= self.size:
                return None
            ahead *= 4
        return self._block[at : stop + 1]

    def _after_feed(self, end: int) -> int:
        """The place after the last line feed before `end`; 0 = there is none."""
        reach = BLOCK
        while True:
            high = end - self._low
            if 0 <= high <= len(self._block):
                at = self._block.rfind(b"\n", 0, high)
                if at >= 0 or self._low == 0:
                    return self._low + at + 1 if at >= 0 else 0
            self._load(max(0, end - reach), end)
            reach *= 4

    def _next_start(self, offset: int) -> int:
        """Where the first line begins that begins after a place."""
        raw = self._raw(offset, 0)
        return offset + len(raw) if raw else self.size

    def _load(self, low: int, high: int) -> None:
        self._block = read(self.fd, low, high - low)
        self._low = low
        if len(self._block) < high - low:  # somebody cut a torn end off
            self.size = low + len(self._block)


def read(fd: int, offset: int, count: int) -> bytes:
    """So many bytes from a place, fewer only at the end of the file."""
    if not hasattr(os, "pread"):  # Windows; a descriptor belongs to one call
        os.lseek(fd, offset, os.SEEK_SET)
        return os.read(fd, count)
    return os.pread(fd, count, offset)
