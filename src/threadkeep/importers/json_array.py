"""Splits the text of a JSON array into the texts of its elements, however it comes in chunks."""

import re
from collections.abc import Iterator
from typing import Final

_SIGN: Final = re.compile(r'["\[\]{},]')
_STRING: Final = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)


class ArraySplitter:
    """Reads the text behind the `[` of an array; only brackets and strings are looked at.

    Attributes:
        is_closed: whether the `]` of the array was read.
        has_more: whether anything but space stands behind it.
    """

    def __init__(self, limit: int) -> None:
        self.is_closed = False
        self.has_more = False
        self._limit = limit
        self._parts: list[str] = []
        self._size = 0
        self._depth = 0
        self._in_string = False
        self._is_escaped = False

    def feed(self, chunk: str) -> Iterator[str | None]:
        """The elements that end in this chunk; `None` for one that is longer than the limit."""
        scan_offset = element_start = 0
        while scan_offset < len(chunk) and not self.is_closed:
            if self._in_string:
                scan_offset = self._string_end(chunk, scan_offset)
                continue
            sign_match = _SIGN.search(chunk, scan_offset)
            if sign_match is None:
                break
            scan_offset = sign_match.end()
            if self._ends_element(sign_match[0]):
                self._keep(chunk[element_start : scan_offset - 1])
                yield from self._element()
                element_start = scan_offset
        if self.is_closed:
            self.has_more = self.has_more or not (chunk[scan_offset:] or " ").isspace()
        else:
            self._keep(chunk[element_start:])

    def _ends_element(self, sign: str) -> bool:
        if sign == '"':
            self._in_string = True
        elif sign in "[{":
            self._depth += 1
        elif sign in "]}":
            self._depth -= 1
            self.is_closed = self._depth < 0
        return self.is_closed or (sign == "," and self._depth == 0)

    def _string_end(self, chunk: str, start_offset: int) -> int:
        if self._is_escaped:
            self._is_escaped = False
            return start_offset + 1
        string_match = _STRING.match(chunk, start_offset)
        end_offset = string_match.end() if string_match else start_offset
        if end_offset == len(chunk):
            return end_offset
        if chunk[end_offset] == '"':
            self._in_string = False
        else:  # a backslash, whose character comes with the next chunk
            self._is_escaped = True
        return end_offset + 1

    def _keep(self, part: str) -> None:
        self._size += len(part)
        if self._size <= self._limit:
            self._parts.append(part)
        else:
            self._parts.clear()

    def _element(self) -> Iterator[str | None]:
        element_text, is_whole = "".join(self._parts), self._size <= self._limit
        self._parts.clear()
        self._size = 0
        if not is_whole:
            yield None
        elif element_text.strip():
            yield element_text
