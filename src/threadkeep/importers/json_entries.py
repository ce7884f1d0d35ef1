"""Reads JSON documents of any size entry by entry: arrays, JSON Lines, or one value.

Memory is bounded by the largest entry. A bad entry is named and passed over, and so is what stands
behind the cut of a file that ends early.
"""

import io
import json
from collections.abc import Iterator
from typing import IO, Final, cast

from threadkeep.importers.json_array import ArraySplitter
from threadkeep.importers.values import JsonEntry, Skip

MAX_ENTRY: Final = 64 * 2**20
"""Characters of an element of an array, or of a line."""

MAX_DOCUMENT: Final = 256 * 2**20
"""Characters of a document that is one value."""

_CHUNK: Final = 64 * 2**10
_PROBED_LINES: Final = 5
_ENCODINGS: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def entries(source: IO[bytes], label: str, skip: Skip) -> Iterator[JsonEntry]:
    """The values of a JSON document; needs a source that can be read twice.

    Bytes that are no UTF-8 make the entry bad that they stand in, and no other.
    """
    text_stream = _opened(source)
    first_sign = _first_sign(text_stream)
    if first_sign == "[":
        yield from _elements(text_stream, label, skip)
    elif first_sign == "{" and _has_lines(source):
        yield from _lines(_opened(source), label, skip)
    elif first_sign:
        yield from _single(_opened(source), label, skip)


def parsed(text: str | bytes) -> object:
    """A JSON value; an integer of more digits than Python reads is their text.

    Raises:
        ValueError: it is none, or it is nested too deeply.
    """
    try:
        return _loaded(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _loaded(text: str | bytes) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return json.loads(text, parse_int=_integer)


def _integer(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:
        return digits


def _opened(source_file: IO[bytes]) -> io.TextIOWrapper:
    source_file.seek(0)
    first_bytes = source_file.read(2)
    source_file.seek(0)
    encoding = _ENCODINGS.get(first_bytes, "utf-8-sig")
    # \xff in a text is no JSON, so that the entry is bad, and only that one
    shared_source = cast("IO[bytes]", _Shared(source_file))
    return io.TextIOWrapper(shared_source, encoding, errors="backslashreplace", newline="\n")


class _Shared(io.BufferedIOBase):
    """A source that a text wrapper reads and does not close."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def read1(self, size: int | None = -1) -> bytes:
        return self._source.read(-1 if size is None else size)

    read = read1


def _first_sign(text_stream: io.TextIOWrapper) -> str:
    """The first character that is no space; the text is left in front of it, or behind it."""
    while (sign := text_stream.read(1)) and sign.isspace():
        pass
    return sign


def _has_lines(source_file: IO[bytes]) -> bool:
    """Whether one of the first lines is an object by itself, as in no indented JSON."""
    text_stream = _opened(source_file)
    for _ in range(_PROBED_LINES):
        line_text = text_stream.readline(MAX_ENTRY)
        try:
            if line_text.strip() and isinstance(parsed(line_text), dict):
                return True
        except ValueError:
            continue
    return False


def _elements(text_stream: io.TextIOWrapper, label: str, skip: Skip) -> Iterator[JsonEntry]:
    splitter, element_index = ArraySplitter(MAX_ENTRY), 0
    for chunk in iter(lambda: text_stream.read(_CHUNK), ""):
        for element in splitter.feed(chunk):
            yield from entry(element, f"{label}[{element_index}]", skip)
            element_index += 1
    if not splitter.is_closed:
        skip(f"{label}[{element_index}]", "the file ends in the middle: cut off?")
    elif splitter.has_more:
        skip(label, "what stands behind the end of the array is not read: split the file")


def _lines(text_stream: io.TextIOWrapper, label: str, skip: Skip) -> Iterator[JsonEntry]:
    line_number = 0
    while line_text := text_stream.readline(MAX_ENTRY + 1):
        line_number += 1
        is_too_long = len(line_text) > MAX_ENTRY
        while is_too_long and line_text and not line_text.endswith("\n"):
            line_text = text_stream.readline(MAX_ENTRY)
        if line_text.strip():
            yield from entry(None if is_too_long else line_text, f"{label}:{line_number}", skip)


def _single(text_stream: io.TextIOWrapper, label: str, skip: Skip) -> Iterator[JsonEntry]:
    document = text_stream.read(MAX_DOCUMENT + 1)
    yield from entry(None if len(document) > MAX_DOCUMENT else document, label, skip)


def entry(text: str | None, location: str, skip: Skip) -> Iterator[JsonEntry]:
    """The entry of a text, or none where it is no JSON, which is named.

    Args:
        text: of one value; `None` = it is too large.
        location: where it stands.
        skip: told what is wrong with it.
    """
    if text is None:
        skip(location, "the entry is too large")
        return
    try:
        json_value = parsed(text)
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "it cannot be parsed"
        skip(location, f"this is not JSON ({reason}): damaged, or cut off?")
    else:
        yield JsonEntry(location, json_value)
