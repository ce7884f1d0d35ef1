"""Server-sent events: read from bytes as they come, and written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

MAX_EVENT: Final = 16_000_000
"""Bytes of one event, at most."""

DONE: Final = "[DONE]"
_END: Final = re.compile(rb"(?>\r\n|\n|\r){2}")
_LINE: Final = re.compile(r"\r\n|\n|\r")
_LONGEST_END: Final = 4


class MalformedStream(ValueError):
    """The upstream sent no server-sent events, or one that is too large."""


class ServerEvent(NamedTuple):
    """One event: its name, which may be empty, and its data."""

    name: str
    data: str

    def json(self) -> dict[str, Any]:
        """The data as a JSON object.

        Raises:
            MalformedStream: it is none.
        """
        try:
            raw_fields = json.loads(self.data)
        except (ValueError, RecursionError) as error:
            raise MalformedStream("an event is not JSON") from error
        if not isinstance(raw_fields, dict):
            raise MalformedStream("an event is not a JSON object")
        return raw_fields


class EventReader:
    """Takes events out of the bytes of a stream, whatever its chunks."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """Take in a chunk, and yield the events that are complete now.

        Raises:
            MalformedStream: an event is too large, or not UTF-8.
        """
        self._buffer += chunk
        while end_match := _END.search(self._buffer, self._searched):
            block_bytes = bytes(self._buffer[: end_match.start()])
            del self._buffer[: end_match.end()]
            self._searched = 0
            if event := _parse(block_bytes):
                yield event
        self._searched = max(0, len(self._buffer) - _LONGEST_END)
        if len(self._buffer) > MAX_EVENT:
            raise MalformedStream(f"an event is larger than {MAX_EVENT:,} bytes")

    @property
    def is_empty(self) -> bool:
        """Whether the stream stands between two events."""
        return not self._buffer.strip()


def event_bytes(data: Mapping[str, Any], name: str = "") -> bytes:
    """One event as it goes over the wire."""
    name_line = f"event: {name}\n" if name else ""
    return f"{name_line}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def _parse(block: bytes) -> ServerEvent | None:
    """The event of a block of lines; `None` for one without data, such as a comment."""
    try:
        lines = _LINE.split(block.decode())
    except UnicodeDecodeError as error:
        raise MalformedStream("the stream is not UTF-8") from error
    event_name, data_lines = "", []
    for line_text in lines:
        field_name, _, field_value = line_text.partition(":")
        field_value = field_value.removeprefix(" ")
        if field_name == "event":
            event_name = field_value
        elif field_name == "data":
            data_lines.append(field_value)
    return ServerEvent(event_name, "\n".join(data_lines)) if data_lines else None
