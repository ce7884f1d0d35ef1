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
    """

    def __init__(self, limit: int) -> None:
        self.is_closed = False
        self._limit = limit
        self._parts: list[str] = []
        self._size = 0
        self._depth = 0
        self._in_string = False
        self._is_escaped = False

    def feed(self, chunk: str) -> Iterator[str | None]:
        """The elements that end in this chunk; `None` for one that is longer than the limit."""
        position = start = 0
        while position < len(chunk) and not self.is_closed:
            if self._in_string:
                position = self._string_end(chunk, position)
                continue
            match = _SIGN.search(chunk, position)
            if match is None:
                break
            position = match.end()
            if self._ends_element(match[0]):
                self._keep(chunk[start : position - 1])
                yield from self._element()
                start = position
        if not self.is_closed:
            self._keep(chunk[start:])

    def _ends_element(self, sign: str) -> bool:
        if sign == '"':
            self._in_string = True
        elif sign in "[{":
            self._depth += 1
        elif sign in "]}":
            self._depth -= 1
            self.is_closed = self._depth < 0
        return self.is_closed or (sign == "," and self._depth == 0)

    def _string_end(self, chunk: str, position: int) -> int:
        if self._is_escaped:
            self._is_escaped = False
            return position + 1
        match = _STRING.match(chunk, position)
        end = match.end() if match else position
        if end == len(chunk):
            return end
        if chunk[end] == '"':
            self._in_string = False
        else:  # a backslash, whose character comes with the next chunk
            self._is_escaped = True
        return end + 1

    def _keep(self, part: str) -> None:
        self._size += len(part)
        if self._size <= self._limit:
            self._parts.append(part)
        else:
            self._parts.clear()

    def _element(self) -> Iterator[str | None]:
        text, is_whole = "".join(self._parts), self._size <= self._limit
        self._parts.clear()
        self._size = 0
        if not is_whole:
            yield None
        elif text.strip():
            yield text
